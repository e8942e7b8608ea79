import type { Generated } from 'kysely';

/** What was loaded of whom. */
export interface AdvisorySourceTable {
  source: string;
  /** Advisories; which CVEs are exploited in the wild (CISA KEV); how likely each is to be (EPSS). */
  kind: 'osv' | 'kev' | 'epss';
  /** When an import of it last came to its end; 0: none has. */
  imported_at: number;
  documents: number;
}

/** Where a source is fetched from again and again, and what came of it. */
export interface AdvisoryFeedTable {
  source: string;
  url: string;
  etag: string | null;
  last_modified: string | null;
  /** Of a list of changes: the newest that has been imported. */
  cursor: string | null;
  checked_at: number;
  changed_at: number | null;
  /** Why the last fetch failed; null after one that did not. */
  error: string | null;
}

export interface AdvisoryTable {
  id: Generated<number>;
  source: string;
  advisory_id: string;
  /** One name for the flaw that this and other advisories are about: its CVE, where one is known (flaws.ts). */
  flaw: string;
  modified_at: number;
  published_at: number | null;
  withdrawn_at: number | null;
  /** `unknown` where nobody gave one. */
  severity: 'none' | 'low' | 'medium' | 'high' | 'critical' | 'unknown';
  severity_score: number | null;
  severity_from: 'distribution' | 'cvss' | 'word' | 'alias' | null;
  summary: string | null;
  body: string;
  imported_at: number;
  /** Why the newest document of this id can't be read; what it names is unknown until one can. */
  broken: string | null;
  /** Of a broken one: the file and line. */
  broken_at: string | null;
}

export interface AdvisoryPackageTable {
  advisory_id: number;
  position: number;
  ecosystem: string;
  name: string;
  /** The ranges and versions of the OSV `affected` entry as JSON, or why they can't be read (affected.ts). */
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

/** https://www.cisa.gov/known-exploited-vulnerabilities-catalog; days as it writes them, `2021-12-10`. */
export interface KnownExploitedTable {
  cve: string;
  added_on: string;
  due_on: string | null;
  ransomware: number;
  name: string;
}

/** https://www.first.org/epss: how likely it is exploited within 30 days, 0 to 1, and the share of CVEs that are less so. */
export interface ExploitScoreTable {
  cve: string;
  score: number;
  percentile: number;
  /** When an import last had it. */
  seen_at: number;
}

/** That findings do not count, as somebody says: `src/records/exceptions`. Null of where: anywhere, any. */
export interface ExceptionTable {
  id: Generated<number>;
  name: string;
  state: 'proposed' | 'accepted' | 'withdrawn' | 'expired';
  /** Whose images; null: everybody's, by the operator. */
  account: string | null;
  repository_glob: string | null;
  image_digest: string | null;
  purl: string | null;
  advisory: string;
  /** JSON: what else it is called. */
  aliases: string;
  status: 'not_affected' | 'fixed';
  justification: string | null;
  statement: string | null;
  author: string;
  source_document: string | null;
  source_version: number | null;
  source_digest: string | null;
  source_manifest: string | null;
  source_path: string | null;
  expires_at: number | null;
  created_at: number;
  created_by: string;
  decided_at: number | null;
  decided_by: string | null;
  decided_because: string | null;
}

/** The newest version of each OpenVEX document that was imported. Account '': the operator's. */
export interface VexDocumentTable {
  account: string;
  document: string;
  version: number;
  issued_at: number;
  digest: string;
  imported_at: number;
  imported_by: string;
}
