/**
 * The question. Criteria are JSON; `parse.ts` turns unknown JSON into these types and names the path of what is wrong.
 * A node has exactly one of `all`, `any`, `not`, `package`, `advisory`, `file`, `secret`, `config`, `license`.
 */
export type Criteria =
  | AllCriteria
  | AnyCriteria
  | NotCriteria
  | PackageCriteria
  | AdvisoryCriteria
  | FileCriteria
  | SecretCriteria
  | ConfigCriteria
  | LicenseCriteria;

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
  readonly package: {
    /** Without qualifiers; without version unless that one version is meant. `pkg:npm/lodash` */
    readonly purl: string;
    /** `<4.17.21`, or a full `vers:npm/<4.17.21`; compared by the ecosystem's rules. */
    readonly versions?: string;
    readonly in?: MatchPlace;
  };
}

export type Severity = 'low' | 'medium' | 'high' | 'critical';

export interface AdvisoryCriteria {
  readonly advisory: {
    /** An id or an alias. */
    readonly id?: string;
    /** This severity or worse. */
    readonly severity?: Severity;
    readonly fixed?: boolean;
    readonly in?: MatchPlace;
  };
}

export interface FileCriteria {
  readonly file: {
    /** A glob on the path without a leading slash; `**` crosses folders. */
    readonly path?: string;
    readonly sha256?: string;
    readonly setuid?: boolean;
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

export interface ConfigCriteria {
  readonly config: {
    /** Name or number; `root` is also `0`, and a config that names none. */
    readonly user?: string;
    /** `8080/tcp` */
    readonly port?: string;
    /** The name of a variable of the environment. */
    readonly env?: string;
    readonly label?: { readonly name: string; readonly value?: string };
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
