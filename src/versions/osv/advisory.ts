/** The parts of an OSV document (schema 1.x) that decide what it applies to and how bad it is. */
export interface OsvAdvisory {
  readonly id: string;
  /** RFC 3339, as written; so are the other times. */
  readonly modified: string;
  readonly published?: string;
  /** From then on the advisory applies to nothing. */
  readonly withdrawn?: string;
  readonly aliases: readonly string[];
  /** Advisories of others that this one passes on, as a distribution's does. */
  readonly upstream: readonly string[];
  readonly related: readonly string[];
  readonly summary?: string;
  readonly details?: string;
  readonly severity: readonly OsvSeverity[];
  /** `database_specific.severity`, a word of the source's own. */
  readonly severityWord?: string;
  readonly affected: readonly OsvAffected[];
}

export interface OsvSeverity {
  /** `CVSS_V2`, `CVSS_V3`, `CVSS_V4`, `Ubuntu` … */
  readonly type: string;
  /** A vector, or a word of the type. */
  readonly score: string;
}

export interface OsvAffected {
  /** Absent where the source names commits of a repository only. */
  readonly package?: OsvPackage;
  readonly ranges: readonly OsvRange[];
  readonly versions: readonly string[];
  readonly severity: readonly OsvSeverity[];
  readonly severityWord?: string;
  /** Debian's `urgency`, or another distribution's own word. */
  readonly distributionWord?: string;
}

export interface OsvPackage {
  /** `npm`, `Debian:12` */
  readonly ecosystem: string;
  readonly name: string;
  readonly purl?: string;
}

export interface OsvRange {
  readonly type: 'SEMVER' | 'ECOSYSTEM' | 'GIT';
  readonly events: readonly OsvEvent[];
}

export interface OsvEvent {
  readonly kind: 'introduced' | 'fixed' | 'lastAffected' | 'limit';
  /** A version, a commit, or the special `0` (before all) and, for a limit, `*` (after all). */
  readonly version: string;
}
