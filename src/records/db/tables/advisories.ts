import type { Generated } from 'kysely';

export interface AdvisoryTable {
  id: Generated<number>;
  source: string;
  advisory_id: string;
  modified_at: number;
  published_at: number | null;
  withdrawn_at: number | null;
  /** `unknown` where nobody gave one. */
  severity: 'none' | 'low' | 'medium' | 'high' | 'critical' | 'unknown';
  severity_score: number | null;
  severity_from: string | null;
  summary: string | null;
  body: string;
  imported_at: number;
}

export interface AdvisoryPackageTable {
  advisory_id: number;
  position: number;
  ecosystem: string;
  name: string;
  /** The ranges and versions of the OSV `affected` entry as JSON. */
  affected: string;
  severity: AdvisoryTable['severity'];
}

/** An advisory that applies to a package, from `since` until `until`; ended ones stay, as history. */
export interface FindingTable {
  package_id: number;
  advisory_id: number;
  /** `unknown`: whether it applies can't be told, so nobody may call the package clean. */
  verdict: 'affected' | 'unknown';
  fixed_version: string | null;
  severity: AdvisoryTable['severity'];
  since: number;
  until: number | null;
}
