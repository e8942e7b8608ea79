/**
 * Imports OSV documents of one source. They are read one by one and written in batches, each one transaction with the
 * documents, their findings and the event that says so; so a crash leaves whole batches, whose events were told, and
 * the same import run again finds those unchanged; until an import of a source has come to its end, nobody can tell what
 * else it would say (`whyAnyMayBeHit`). An import of one document is one transaction. A document is written
 * when the source has not given it before, or has given another one that is not newer. A broken one is listed, and what it
 * names becomes unknown; the others still import.
 */
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import {
  type AdvisoryDocument,
  advisoriesKeep,
  advisoriesKnown,
  type KnownAdvisory,
} from '../../records/advisories/advisories.ts';
import { advisoriesBroken, advisoriesUnbreak, type BrokenAdvisory } from '../../records/advisories/broken.ts';
import { advisoriesTurn, type FindingsChange } from '../../records/advisories/findings.ts';
import { advisorySourceLoaded } from '../../records/advisories/sources.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import type { OsvReading } from '../../versions/osv/read-documents.ts';

export interface ImportedDocuments {
  readonly read: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Of those changed. */
  readonly withdrawn: number;
  readonly brokenCount: number;
  /** The first ones. */
  readonly broken: readonly BrokenDocument[];
  readonly findings: { readonly new: number; readonly ended: number };
}

export interface BrokenDocument {
  /** `line 12`, `all.zip!/GHSA-1.json` */
  readonly where: string;
  readonly error: string;
}

export interface ImportOf {
  /** Who publishes them: `ghsa`, `debian`. Importing one source never changes another's. */
  readonly source: string;
  /** The file's name, with which the places of its documents begin; '' without one. */
  readonly file: string;
  readonly actor: string;
  /** When the source was as it is given here, milliseconds since 1970; absent: now. */
  readonly loadedAt?: number;
}

/** What one transaction writes, so that it stays within `transactionMs`: rows are what takes the time. */
const batchRows = 500;
const batchBytes = 512 * 1024;
const sourcePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws invalid (the source's name), whatever `readings` throws: what was read before has been imported */
export async function importDocuments(
  database: Database,
  readings: AsyncIterable<OsvReading>,
  of: ImportOf,
): Promise<ImportedDocuments> {
  const importing = new DocumentImport(database, of);
  for await (const reading of readings) await importing.take(reading);
  return importing.end();
}

/** An import that is given its documents one after another. */
export class DocumentImport {
  readonly #database: Database;
  readonly #of: ImportOf;
  readonly #broken: BrokenDocument[] = [];
  readonly #brokenPlaces = new Set<string>();
  readonly #findings = { new: 0, ended: 0 };
  #total: Tally = nothing;
  #untold: Tally = nothing;
  #gathered: OsvReading[] = [];
  #bytes = 0;
  #rows = 0;

  /** @throws invalid */
  constructor(database: Database, of: ImportOf) {
    if (!sourcePattern.test(of.source))
      throw new LazaretError(
        'invalid',
        `'${of.source.slice(0, 100)}' is not the name of a source of advisories`,
        {
          detail: { path: 'source' },
        },
      );
    this.#database = database;
    this.#of = of;
  }

  async take(reading: OsvReading): Promise<void> {
    if (this.#rows >= batchRows || this.#bytes >= batchBytes) await this.#write(false);
    this.#gathered.push(reading);
    this.#bytes += reading.ok ? reading.bytes.length : 0;
    this.#rows += rowsOf(reading);
  }

  async end(): Promise<ImportedDocuments> {
    await this.#write(true);
    const { documents: read, changed, withdrawn, broken: brokenCount } = this.#total;
    const unchanged = read - changed - brokenCount;
    const broken = this.#broken;
    return { read, changed, unchanged, withdrawn, brokenCount, broken, findings: this.#findings };
  }

  async #write(last: boolean): Promise<void> {
    const { documents, broken } = this.#sort(this.#gathered);
    this.#gathered = [];
    this.#bytes = 0;
    this.#rows = 0;
    const known = await this.#known(this.#database, documents);
    const changed = changedOf(documents, known);
    if (changed.length === 0 && broken.length === 0 && !last) return;
    const now = await this.#database.transact((tx) => this.#keep(tx, { changed, broken, last }));
    this.#findings.new += now.findings.new;
    this.#findings.ended += now.findings.ended;
    this.#total = sum(this.#total, { ...nothing, changed: now.changed, withdrawn: now.withdrawn });
    this.#untold = nothing;
  }

  /** Counts all, and lists the broken ones. @returns of the others the newest of each id */
  #sort(readings: readonly OsvReading[]): { documents: AdvisoryDocument[]; broken: BrokenAdvisory[] } {
    const documents = new Map<string, AdvisoryDocument>();
    const broken: BrokenAdvisory[] = [];
    for (const reading of readings) {
      if (!reading.ok) {
        broken.push(brokenOf(reading));
        continue;
      }
      const { advisory, bytes } = reading;
      const other = documents.get(advisory.id);
      if (other && Date.parse(other.advisory.modified) > Date.parse(advisory.modified)) continue;
      documents.set(advisory.id, { advisory, body: Buffer.from(bytes).toString('utf8').trim() });
    }
    for (const { place, reason } of broken.slice(0, limits.apiPageMax - this.#broken.length))
      this.#broken.push({ where: place, error: reason });
    for (const { place } of broken) this.#brokenPlaces.add(place);
    const seen = { ...nothing, documents: readings.length, broken: broken.length };
    this.#total = sum(this.#total, seen);
    this.#untold = sum(this.#untold, seen);
    return { documents: [...documents.values()], broken };
  }

  #known(
    { engine, ...from }: Pick<Database, 'engine' | 'read'> | Tx,
    documents: readonly AdvisoryDocument[],
  ): Promise<Map<string, KnownAdvisory>> {
    const ids = documents.map(({ advisory }) => advisory.id);
    return advisoriesKnown('db' in from ? from.db : from.read, { engine, source: this.#of.source, ids });
  }

  async #keep(
    tx: Tx,
    batch: {
      readonly changed: readonly AdvisoryDocument[];
      readonly broken: readonly BrokenAdvisory[];
      readonly last: boolean;
    },
  ) {
    const { source, file, loadedAt } = this.#of;
    await advisoriesTurn(tx);
    // Looked at again now that no one else can change them.
    const known = await this.#known(tx, batch.changed);
    const documents = changedOf(batch.changed, known);
    const changes = [
      await advisoriesKeep(tx, documents, { source, known }),
      await advisoriesBroken(tx, source, batch.broken),
      ...(batch.last ? [await advisoriesUnbreak(tx, { source, file, places: this.#brokenPlaces })] : []),
    ];
    const fresh = documents.filter(({ advisory }) => !known.has(advisory.id)).length;
    const endedAt = batch.last ? (loadedAt ?? tx.nowMs) : undefined;
    await advisorySourceLoaded(tx, { source, kind: 'osv', documents: fresh, loadedAt: endedAt });
    const changed = documents.length;
    const withdrawn = documents.filter(({ advisory }) => advisory.withdrawn !== undefined).length;
    const findings = changes.reduce(joined);
    this.#emit(tx, { ...this.#untold, changed, withdrawn }, findings);
    return { changed, withdrawn, findings };
  }

  #emit(tx: Tx, tally: Tally, { packageIds }: FindingsChange): void {
    const { source, actor } = this.#of;
    const listed = [...packageIds].slice(0, limits.apiPageMax);
    const truncated = listed.length < packageIds.size;
    tx.emit({
      type: 'advisory.imported',
      lane: 'local',
      subject: source,
      actor,
      data: {
        source,
        ...tally,
        packagesAffected: packageIds.size,
        packageIds: listed,
        ...(truncated ? { packagesTruncated: true } : {}),
      },
    });
  }
}

/** What an event tells: what was read and changed since the one before. */
interface Tally {
  readonly documents: number;
  readonly changed: number;
  readonly withdrawn: number;
  readonly broken: number;
}

const nothing: Tally = { documents: 0, changed: 0, withdrawn: 0, broken: 0 };

function sum(a: Tally, b: Tally): Tally {
  return {
    documents: a.documents + b.documents,
    changed: a.changed + b.changed,
    withdrawn: a.withdrawn + b.withdrawn,
    broken: a.broken + b.broken,
  };
}

function joined(a: FindingsChange, b: FindingsChange): FindingsChange {
  return {
    new: a.new + b.new,
    ended: a.ended + b.ended,
    packageIds: new Set([...a.packageIds, ...b.packageIds]),
  };
}

function rowsOf(reading: OsvReading): number {
  if (!reading.ok)
    return 2 + (reading.salvaged?.packages.length ?? 0) + (reading.salvaged?.names.length ?? 0);
  const { aliases, upstream, affected } = reading.advisory;
  return 2 + aliases.length + upstream.length + affected.length;
}

function brokenOf({ where, error, salvaged }: Extract<OsvReading, { ok: false }>): BrokenAdvisory {
  const { id, names = [], packages = [] } = salvaged ?? {};
  return { id, names, place: where, reason: error.message, packages };
}

/** New ones, and those that differ from what is here and are not older: an old dump takes back no correction. */
function changedOf(
  documents: readonly AdvisoryDocument[],
  known: ReadonlyMap<string, KnownAdvisory>,
): AdvisoryDocument[] {
  return documents.filter(({ advisory, body }) => {
    const before = known.get(advisory.id);
    if (!before) return true;
    const isOther = before.body !== body || before.broken !== null;
    return isOther && Date.parse(advisory.modified) >= before.modifiedAt;
  });
}
