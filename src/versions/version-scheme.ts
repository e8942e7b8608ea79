/** How the versions of one ecosystem compare. A scheme is pure; it has no state and never throws for a valid version. */
export interface VersionScheme {
  /** The OSV ecosystem, without a release: `npm`, `Debian`. */
  readonly ecosystem: string;
  /** The purl type, which is also the name in `vers:` texts: `npm`, `deb`. */
  readonly purlType: string;
  /** Negative, zero or positive as `a` is older, equal or newer. Both must be valid. */
  compare(a: string, b: string): number;
  isValid(version: string): boolean;
}
