/**
 * Imports OSV documents of one source. They are read one by one and written in batches, each one transaction with the
 * documents, their findings and the event that says so; so a crash leaves whole batches, whose events were told, and
 * the same import run again finds those unchanged. An import of one document is one transaction. A document is written
 * when the source has not given it before, or has given another one that is not newer; a broken one is listed, and the
 * others still import.
 */
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import {
  type AdvisoryDocument,
  advisoriesKeep,
  advisoriesKnown,
  type KnownAdvisory,
} from '../../records/advisories/advisories.ts';
import { advisoriesTurn, type FindingsChange } from '../../records/advisories/findings.ts';
import { advisorySourceLoaded } from '../../records/advisories/sources.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import {
  type OsvDocumentKind,
  type OsvReading,
  readOsvDocuments,
} from '../../versions/osv/read-documents.ts';
import { sniffDocuments } from './document-kind.ts';

export interface ImportDeps {
  readonly database: Database;
  readonly clock: Clock;
}

export interface ImportRequest {
  /** Who publishes them: `ghsa`, `debian`. Importing one source never changes another's. */
  readonly source: string;
  /** JSON, a JSON array or JSON lines, also gzipped. */
  readonly documents: AsyncIterable<Uint8Array>;
  /** `auto`: told by the content. */
  readonly kind: OsvDocumentKind | 'auto';
  readonly actor: string;
}

export interface ImportAnswer {
  readonly source: string;
  readonly read: number;
  readonly changed: number;
  readonly unchanged: number;
  /** Of those changed. */
  readonly withdrawn: number;
  readonly brokenCount: number;
  /** The first ones. */
  readonly broken: readonly BrokenDocument[];
  readonly findings: { readonly new: number; readonly ended: number };
  readonly tookMs: number;
}

export interface BrokenDocument {
  /** `line 12`, `item 3`, `document`. */
  readonly where: string;
  readonly error: string;
}

/** What one transaction writes, so that it stays within `transactionMs`: rows are what takes the time. */
const batchRows = 500;
const batchBytes = 512 * 1024;
const sourcePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** @throws invalid (the source's name), tooLarge (what was read before has been imported), whatever the stream throws */
export async function importAdvisories(deps: ImportDeps, request: ImportRequest): Promise<ImportAnswer> {
  const { source, actor } = request;
  if (!sourcePattern.test(source))
    throw new LazaretError('invalid', `'${source.slice(0, 100)}' is not the name of a source of advisories`, {
      detail: { path: 'source' },
    });
  const startedMs = deps.clock.wallMs();
  const sniffed =
    request.kind === 'auto'
      ? await sniffDocuments(request.documents)
      : { kind: request.kind, documents: request.documents };
  const importing = new Import(deps.database, source, actor);
  for await (const batch of batches(readOsvDocuments(sniffed.documents, sniffed.kind)))
    await importing.add(batch.readings, batch.last);
  return { source, ...importing.totals(), tookMs: Math.round(deps.clock.wallMs() - startedMs) };
}

interface Batch {
  readonly readings: readonly OsvReading[];
  readonly last: boolean;
}

/** The last batch, possibly empty, is known as such, so that it can end the import in its own transaction. */
async function* batches(readings: AsyncIterable<OsvReading>): AsyncGenerator<Batch> {
  let gathered: OsvReading[] = [];
  let bytes = 0;
  let rows = 0;
  for await (const reading of readings) {
    if (rows >= batchRows || bytes >= batchBytes) {
      yield { readings: gathered, last: false };
      gathered = [];
      bytes = 0;
      rows = 0;
    }
    gathered.push(reading);
    bytes += reading.ok ? reading.bytes.length : 0;
    rows += rowsOf(reading);
  }
  yield { readings: gathered, last: true };
}

function rowsOf(reading: OsvReading): number {
  if (!reading.ok) return 1;
  const { aliases, upstream, affected } = reading.advisory;
  return 2 + aliases.length + upstream.length + affected.length;
}

/** What an event tells: what was read and changed since the one before. */
interface Tally {
  documents: number;
  changed: number;
  withdrawn: number;
  broken: number;
}

class Import {
  readonly #database: Database;
  readonly #source: string;
  readonly #actor: string;
  readonly #broken: BrokenDocument[] = [];
  readonly #findings = { new: 0, ended: 0 };
  #total: Tally = { documents: 0, changed: 0, withdrawn: 0, broken: 0 };
  #untold: Tally = { documents: 0, changed: 0, withdrawn: 0, broken: 0 };

  constructor(database: Database, source: string, actor: string) {
    this.#database = database;
    this.#source = source;
    this.#actor = actor;
  }

  totals(): Omit<ImportAnswer, 'source' | 'tookMs'> {
    const { documents: read, changed, withdrawn, broken: brokenCount } = this.#total;
    const unchanged = read - changed - brokenCount;
    return {
      read,
      changed,
      unchanged,
      withdrawn,
      brokenCount,
      broken: this.#broken,
      findings: this.#findings,
    };
  }

  async add(readings: readonly OsvReading[], last: boolean): Promise<void> {
    const documents = this.#sort(readings);
    const ids = documents.map(({ advisory }) => advisory.id);
    const { engine, read } = this.#database;
    const known = await advisoriesKnown(read, { engine, source: this.#source, ids });
    const changed = changedOf(documents, known);
    if (changed.length === 0 && !last) return;
    const now = await this.#database.transact((tx) => this.#write(tx, changed));
    this.#findings.new += now.findings.new;
    this.#findings.ended += now.findings.ended;
    this.#total = sum(this.#total, { ...nothing, changed: now.changed, withdrawn: now.withdrawn });
    this.#untold = { ...nothing };
  }

  /** Counts all, and lists the broken ones. @returns the others, the newest of each id */
  #sort(readings: readonly OsvReading[]): AdvisoryDocument[] {
    const documents = new Map<string, AdvisoryDocument>();
    let broken = 0;
    for (const reading of readings) {
      if (reading.ok) {
        const { advisory, bytes } = reading;
        const other = documents.get(advisory.id);
        if (other && Date.parse(other.advisory.modified) > Date.parse(advisory.modified)) continue;
        documents.set(advisory.id, { advisory, body: Buffer.from(bytes).toString('utf8').trim() });
        continue;
      }
      broken += 1;
      if (this.#broken.length < limits.apiPageMax)
        this.#broken.push({ where: reading.where, error: reading.error.message });
    }
    const seen = { ...nothing, documents: readings.length, broken };
    this.#total = sum(this.#total, seen);
    this.#untold = sum(this.#untold, seen);
    return [...documents.values()];
  }

  async #write(tx: Tx, candidates: readonly AdvisoryDocument[]) {
    await advisoriesTurn(tx);
    // Looked at again now that no one else can change them.
    const ids = candidates.map(({ advisory }) => advisory.id);
    const known = await advisoriesKnown(tx.db, { engine: tx.engine, source: this.#source, ids });
    const documents = changedOf(candidates, known);
    const findings = await advisoriesKeep(tx, documents, { source: this.#source, known });
    await advisorySourceLoaded(tx, {
      source: this.#source,
      kind: 'osv',
      documents: documents.filter(({ advisory }) => !known.has(advisory.id)).length,
    });
    const changed = documents.length;
    const withdrawn = documents.filter(({ advisory }) => advisory.withdrawn !== undefined).length;
    this.#emit(tx, { ...this.#untold, changed, withdrawn }, findings);
    return { changed, withdrawn, findings };
  }

  #emit(tx: Tx, tally: Tally, { packageIds }: FindingsChange): void {
    const listed = [...packageIds].slice(0, limits.apiPageMax);
    const truncated = listed.length < packageIds.size;
    tx.emit({
      type: 'advisory.imported',
      lane: 'local',
      subject: this.#source,
      actor: this.#actor,
      data: {
        source: this.#source,
        ...tally,
        packagesAffected: packageIds.size,
        packageIds: listed,
        ...(truncated ? { packagesTruncated: true } : {}),
      },
    });
  }
}

const nothing: Readonly<Tally> = { documents: 0, changed: 0, withdrawn: 0, broken: 0 };

function sum(a: Tally, b: Tally): Tally {
  return {
    documents: a.documents + b.documents,
    changed: a.changed + b.changed,
    withdrawn: a.withdrawn + b.withdrawn,
    broken: a.broken + b.broken,
  };
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
