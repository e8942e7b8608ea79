/**
 * The question. Criteria are JSON; `parse.ts` turns unknown JSON into these types and names the path of what is wrong.
 * A node has exactly one of `all`, `any`, `not`, `package`, `advisory`, `file`, `secret`, `malware`, `config`,
 * `license`, `image`.
 */
export type Criteria =
  | AllCriteria
  | AnyCriteria
  | NotCriteria
  | PackageCriteria
  | AdvisoryCriteria
  | FileCriteria
  | SecretCriteria
  | MalwareCriteria
  | ConfigCriteria
  | LicenseCriteria
  | ImageCriteria;

export interface AllCriteria {
  readonly all: readonly Criteria[];
}
export interface AnyCriteria {
  readonly any: readonly Criteria[];
}
export interface NotCriteria {
  readonly not: Criteria;
}

/** Where the match must be: in what the layer holds, or in what the image, with all its layers, still shows. */
export type MatchPlace = 'layer' | 'image';

export interface PackageCriteria {
  readonly package: PackageByPurl | PackageByName;
}

export interface PackageByPurl extends PackageVersions {
  /** Without qualifiers; without version unless that one version is meant. `pkg:npm/lodash` */
  readonly purl: string;
}

export interface PackageByName extends PackageVersions {
  /** Of a purl; without one of any, and then of any version. */
  readonly type?: string;
  /** A glob over names as advisories write them: `@babel/*`, `org.apache.logging.log4j:*` */
  readonly name: string;
}

interface PackageVersions {
  /** `<4.17.21`, or a full `vers:npm/<4.17.21`; compared by the ecosystem's rules. */
  readonly versions?: string;
  readonly in?: MatchPlace;
}

export type Severity = 'low' | 'medium' | 'high' | 'critical';

/** An advisory of which all that is given is true; with nothing given any. */
export interface AdvisoryCriteria {
  readonly advisory: {
    /** An id, an alias, or the CVE by which another source knows it. */
    readonly id?: string;
    /** This severity or worse. */
    readonly severity?: Severity;
    readonly fixed?: boolean;
    /**
     * Whether the package itself is the harm: an advisory `MAL-…` of the Malicious Packages repository, or
     * another source's of what that tells.
     */
    readonly malicious?: boolean;
    /** Whether CISA's catalogue of known exploited vulnerabilities has it. */
    readonly exploited?: boolean;
    /** `2026-11-01` or RFC 3339. */
    readonly publishedSince?: string;
    readonly in?: MatchPlace;
  };
}

export interface FileCriteria {
  readonly file: {
    /** A glob on the path without a leading slash; `**` crosses folders. */
    readonly path?: string;
    /** A glob on the last part of the path. */
    readonly name?: string;
    readonly sha256?: string;
    readonly setuid?: boolean;
    /** `10MiB`; both ends are inside. */
    readonly sizeMin?: string;
    readonly sizeMax?: string;
    readonly in?: MatchPlace;
  };
}

export interface SecretCriteria {
  readonly secret: {
    /** A kind of `secrets/kinds.ts`, or a glob over their names; `*` is every kind. */
    readonly kind?: string;
    /** A glob, as of files; `config:Env/*` is the environment of the image's config. */
    readonly path?: string;
    /** `1:…`: the key's version and the fingerprint in hexadecimal. */
    readonly fingerprint?: string;
    readonly in?: MatchPlace;
  };
}

export interface MalwareCriteria {
  readonly malware: {
    /** A glob over the names of signatures; `*` is any. */
    readonly signature: string;
    /** A glob, as of files. */
    readonly path?: string;
    readonly in?: MatchPlace;
  };
}

/** A label of an image's config; without a value any. */
export interface Label {
  readonly name: string;
  readonly value?: string;
}

export interface ConfigCriteria {
  readonly config: {
    /** Name or number; `root` is also `0`, and a config that names none. */
    readonly user?: string;
    /** `8080/tcp` */
    readonly port?: string;
    /** The name of a variable of the environment. */
    readonly env?: string;
    readonly label?: Label;
  };
}

/** One of `anyOf` and `notSatisfiedBy`, which hold licences of SPDX (`GPL-3.0-only`), never expressions. */
export interface LicenseCriteria {
  readonly license: {
    /** A package whose expression names one of them, at whatever place. */
    readonly anyOf?: readonly string[];
    /** A package whose terms can't be met with these alone. */
    readonly notSatisfiedBy?: readonly string[];
    readonly in?: MatchPlace;
  };
}

/**
 * The image as a repository has it. Times are `2026-11-01` or RFC 3339, durations `90d`. It needs an inspection only where
 * it asks for what the config says: age, label, source, revision.
 */
export interface ImageCriteria {
  readonly image: {
    readonly repository?: string;
    /** A glob over the image's tags there, and those of indexes that name it. */
    readonly tag?: string;
    readonly label?: Label;
    /** `linux`, `linux/arm64`, `linux/arm/v7`: also of a more exact one. */
    readonly platform?: string;
    /** Since it was built, as its config says. */
    readonly olderThan?: string;
    readonly newerThan?: string;
    /** Since it was last pulled from this region; without a pull, since it was pushed. */
    readonly notPulledFor?: string;
    readonly pushedBy?: string;
    readonly pushedAfter?: string;
    readonly pushedBefore?: string;
    /**
     * A layer that it has (its digest or diff id), or an image whose layers are the lowest of this one's; an index stands
     * for each of its images. Each image is built on itself.
     */
    readonly base?: string;
    /** The annotation `org.opencontainers.image.source`, of the manifest or else the label of that name. */
    readonly source?: string;
    readonly revision?: string;
  };
}
