/**
 * What must hold after every step, read past all gates, straight from a region's rows and its disk.
 *
 * - P1: what a manifest in service, or in the trash window, needs has a live row, and a live row has its bytes, with the
 *   right digest.
 * - P4: what was acknowledged is there, unless it was taken away or the retention of a quarantine that reaches it ended.
 * - Keys: no key waits for the sweep and is in use.
 */
import type { MemoryContents } from '../../src/blobs/memory.ts';
import { digestOf } from '../../src/oci/digest.ts';
import {
  blobsServed,
  deleted,
  expiredMarks,
  inService,
  keptByQuarantines,
  manifestsOfHome,
  marksKeeping,
  missing,
  needs,
  tagsSet,
  unneeded,
} from './check-queries.ts';
import type { RegionDatabases } from './databases.ts';
import { inScope, type Model, type ModelQuarantine, mayReach } from './model.ts';
import { Violation } from './scheduler.ts';
import { nameOfDigest } from './universe.ts';

interface BlobRow {
  readonly digest: string;
  readonly state: string;
  readonly storage_key: string | null;
}
interface NeedRow {
  readonly repository: string;
  readonly account: string;
  readonly home: string;
  readonly manifest: string;
  readonly digest: string;
  readonly state: string | null;
}
interface ServiceRow {
  readonly repository: string;
  readonly digest: string;
}
interface DeletedRow extends ServiceRow {
  readonly deleted_at: number;
  readonly needed: 0 | 1;
}
interface KeptRow {
  readonly uid: string;
  readonly name: string;
  readonly digest: string;
  readonly state: string;
  readonly inScope: 0 | 1;
}
/** On a manifest, or (`repository`) on a repository. */
interface KeepingMark {
  readonly uid: string;
  readonly name: string;
  readonly account: string | null;
  readonly digest: string | null;
  readonly repository: string | null;
}
interface HomeManifest extends ServiceRow {
  readonly withdrawn: 0 | 1;
}
interface ExpiredRow {
  readonly scope_account: string | null;
  readonly target: 'layer' | 'manifest' | 'repository';
  readonly digest: string | null;
  readonly diff_id: string | null;
  readonly repository_glob: string | null;
}

export interface QuarantineRow {
  readonly uid: string;
  readonly name: string;
  readonly origin: string;
  readonly cause: string;
  readonly version: number;
  readonly released_at: number | null;
  readonly scope_account: string | null;
}

function isKept({ repository, digest }: HomeManifest, mark: KeepingMark): boolean {
  const isInScope = mark.account === null || repository.startsWith(`${mark.account}/`);
  return isInScope && (mark.digest === digest || mark.repository === repository);
}

export class Checks {
  readonly #databases: RegionDatabases;
  readonly #disk: MemoryContents;
  readonly #region: string;
  readonly #digests = new WeakMap<object, string>();
  #deleted: ReadonlyMap<string, { row: DeletedRow; needed: boolean }> = new Map();
  #kept: ReadonlySet<string> = new Set();
  #keptManifests: ReadonlySet<string> = new Set();
  #versions: ReadonlyMap<string, number> = new Map();

  constructor(databases: RegionDatabases, region: string, disk: MemoryContents) {
    this.#databases = databases;
    this.#region = region;
    this.#disk = disk;
  }

  rows<R>(query: string, ...values: readonly (string | number)[]): R[] {
    return this.#databases.rows<R>(query, ...values);
  }

  /** @throws Violation */
  contentIsWhole(): void {
    const condemned = new Set(
      this.rows<{ storage_key: string }>('select storage_key from condemned_keys').map(
        (row) => row.storage_key,
      ),
    );
    for (const { digest, state, storage_key: key } of this.rows<BlobRow>(
      'select digest, state, storage_key from blobs',
    )) {
      if (state !== 'live') continue;
      if (key === null) throw new Violation(`P1: ${this.#at(digest)} is live without a key`);
      if (condemned.has(key)) throw new Violation(`P1: the key of ${this.#at(digest)} waits for the sweep`);
      if (this.#storedDigest(key) !== digest)
        throw new Violation(`P1: ${this.#at(digest)} is live, but its bytes are not under its key`);
    }
    for (const need of this.rows<NeedRow>(needs)) {
      const remote = need.home !== this.#region && need.state === 'remote';
      if (need.state !== 'live' && !remote)
        throw new Violation(
          `P1: ${nameOfDigest(need.manifest)} in ${need.repository} needs ${this.#at(need.digest)}, which is ${need.state ?? 'unknown'}`,
        );
    }
  }

  /** P4, in the home region. @throws Violation */
  acknowledgedIsThere(model: Model, nowMs: number): void {
    const there = new Set([
      ...this.rows<ServiceRow>(inService).map((row) => `manifest ${row.repository} ${row.digest}`),
      ...this.rows<ServiceRow & { name: string }>(tagsSet).map(
        (row) => `tag ${row.repository} ${row.name} ${row.digest}`,
      ),
      ...this.rows<ServiceRow>(blobsServed).map((row) => `blob ${row.repository} ${row.digest}`),
    ]);
    const expired = this.#expired(nowMs);
    for (const key of model.expectedKeys(nowMs)) {
      if (there.has(key)) continue;
      const [kind = '', repository = '', ...rest] = key.split(' ');
      const digest = rest.at(-1) ?? '';
      const place = { name: repository, account: repository.split('/')[0] ?? '' };
      const allowed = expired.some((each) => inScope(each, place) && mayReach(each, digest));
      if (!allowed)
        throw new Violation(
          `P4: ${kind} ${rest.slice(0, -1).join(' ')} ${nameOfDigest(digest)} of ${repository} was acknowledged and is gone`,
        );
      model.uncertain(key);
    }
  }

  /**
   * What was deleted stays for the grace, so that it can be brought back; longer while a manifest in service names it.
   * @throws Violation
   */
  deletedStays(nowMs: number, graceMs: number): void {
    const rows = this.rows<DeletedRow>(deleted);
    const here = new Set(rows.map((row) => `${row.repository} ${row.digest}`));
    for (const [key, { row, needed }] of this.#deleted) {
      if (here.has(key)) continue;
      const what = `${nameOfDigest(row.digest)} of ${row.repository} in region ${this.#region}`;
      if (row.deleted_at + graceMs > nowMs)
        throw new Violation(`grace: ${what} went before its grace was over`);
      if (needed) throw new Violation(`P1: ${what} went although an index in service names it`);
    }
    this.#deleted = new Map(
      rows
        .filter((row) => row.deleted_at !== null)
        .map((row) => [`${row.repository} ${row.digest}`, { row, needed: row.needed === 1 }]),
    );
  }

  /** What a quarantine marks stays until its retention ends, and under a legal hold. @throws Violation */
  markedStays(nowMs: number): void {
    const rows = this.rows<KeptRow>(keptByQuarantines, nowMs);
    const gone = rows.find((row) => row.state === 'condemned' && this.#kept.has(`${row.uid} ${row.digest}`));
    if (gone)
      throw new Violation(`retention: ${this.#at(gone.digest)} was condemned, but ${gone.name} keeps it`);
    this.#kept = new Set(
      rows
        .filter((row) => row.state === 'live' && row.inScope === 1)
        .map((row) => `${row.uid} ${row.digest}`),
    );
  }

  /**
   * A manifest that a quarantine marks, or that is in a repository which it marks, is not withdrawn for the end of another
   * one. At its home. @throws Violation
   */
  markedIsNotWithdrawn(nowMs: number): void {
    const marks = this.rows<KeepingMark>(marksKeeping, nowMs);
    const manifests = marks.length === 0 ? [] : this.rows<HomeManifest>(manifestsOfHome, this.#region);
    const kept = new Set<string>();
    for (const mark of marks)
      for (const manifest of manifests) {
        if (!isKept(manifest, mark)) continue;
        const key = `${mark.uid} ${manifest.repository} ${manifest.digest}`;
        if (manifest.withdrawn === 0) kept.add(key);
        else if (this.#keptManifests.has(key))
          throw new Violation(
            `retention: ${nameOfDigest(manifest.digest)} of ${manifest.repository} was withdrawn, but ${mark.name} keeps it`,
          );
      }
    this.#keptManifests = kept;
  }

  /** A decision is never overwritten by an older one. @throws Violation */
  decisionsAreNewer(): void {
    const rows = this.quarantines();
    for (const { uid, name, version } of rows)
      if (version < (this.#versions.get(uid) ?? 0))
        throw new Violation(
          `P2: ${name} went back to version ${version} from ${this.#versions.get(uid)} in region ${this.#region}`,
        );
    this.#versions = new Map(rows.map((row) => [row.uid, row.version]));
  }

  /** What the oracle may know of the inner state. */
  refresh(model: Model): void {
    const inspected = `select blobs.digest from inspections join blobs on blobs.id = inspections.blob_id
      where inspections.diff_id is not null`;
    model.inspected = new Set(this.rows<{ digest: string }>(inspected).map((row) => row.digest));
    model.manifestsHere = new Set(
      this.rows<{ digest: string }>('select digest from manifests').map((row) => row.digest),
    );
  }

  /**
   * At the end, when all graces and retentions are over and the collector finds nothing more.
   * @param late keys that may be there all the same: a scrub has not looked yet
   * @throws Violation
   */
  nothingLeaks(late: ReadonlySet<string>): void {
    const named = new Set(
      this.rows<{ storage_key: string }>(
        'select storage_key from blobs where storage_key is not null union select storage_key from uploads',
      ).map((row) => row.storage_key),
    );
    for (const key of this.#disk.blobs.keys())
      if (!named.has(key) && !late.has(key))
        throw new Violation(`leak: no row knows the key ${key} in region ${this.#region}`);
    for (const table of ['condemned_keys', 'uploads'])
      if (this.rows(`select 1 from ${table}`).length > 0)
        throw new Violation(`leak: ${table} is not empty in region ${this.#region}`);
    for (const { digest } of this.rows<{ digest: string }>(unneeded))
      throw new Violation(`leak: nothing needs ${this.#at(digest)}, and it is still there`);
  }

  quarantines(): QuarantineRow[] {
    return this.rows<QuarantineRow>(
      'select uid, name, origin, cause, version, released_at, scope_account from quarantines',
    );
  }

  /** Blobs that content in service needs and that are not copied although no quarantine keeps them from it. */
  missing(): string[] {
    return this.rows<{ digest: string }>(missing).map((row) => row.digest);
  }

  /** For comparing regions: in service, tags, and quarantines with their versions. */
  content(home: string): { manifests: string[]; tags: string[]; quarantines: string[] } {
    const of = (rows: readonly string[]) => [...rows].sort();
    return {
      manifests: of(
        this.rows<ServiceRow & { home: string }>(inService)
          .filter((row) => row.home === home)
          .map((row) => `${row.repository} ${nameOfDigest(row.digest)}`),
      ),
      tags: of(
        this.rows<ServiceRow & { name: string; home: string }>(tagsSet)
          .filter((row) => row.home === home)
          .map((row) => `${row.repository}:${row.name} ${nameOfDigest(row.digest)}`),
      ),
      quarantines: of(
        this.quarantines()
          .filter((row) => row.origin === home)
          .map((row) => `${row.cause} ${row.version} ${row.released_at === null ? 'active' : 'released'}`),
      ),
    };
  }

  #expired(nowMs: number): Pick<ModelQuarantine, 'scopeAccount' | 'marks'>[] {
    return this.rows<ExpiredRow>(expiredMarks, nowMs).map((row) => ({
      scopeAccount: row.scope_account,
      marks: [
        {
          target: row.target,
          digest: row.digest,
          diffId: row.diff_id,
          repositoryGlob: row.repository_glob,
          evidence: [],
        },
      ],
    }));
  }

  #storedDigest(key: string): string | undefined {
    const stored = this.#disk.blobs.get(key);
    if (!stored?.committed) return undefined;
    const known = this.#digests.get(stored) ?? digestOf(Buffer.concat(stored.chunks));
    this.#digests.set(stored, known);
    return known;
  }

  #at(digest: string): string {
    return `${nameOfDigest(digest)} in region ${this.#region}`;
  }
}
