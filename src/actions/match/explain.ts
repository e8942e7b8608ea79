/**
 * Why each finding of an image holds or does not: for each package that it shows, each entry of an advisory that names it,
 * with the row, the versions that were compared and the layer. Judged anew from the rows, not read from the findings.
 */
import { limits } from '../../lib/limits.ts';
import { affectedWords, verdictOf } from '../../records/advisories/affected.ts';
import {
  entriesAbout,
  findingHistory,
  type NamingEntry,
  type PlacedPackage,
  placedPackages,
} from '../../records/advisories/explain-rows.ts';
import { advisoryName, advisoryVersion } from '../../records/advisories/findings.ts';
import { advisoryKeysNamed } from '../../records/advisories/named.ts';
import type { Database } from '../../records/db/database.ts';
import type { Exception } from '../../records/exceptions/exceptions.ts';
import { type ExceptionsOver, exceptionsOver } from '../../records/exceptions/over-image.ts';

export interface Explained {
  readonly purl: string;
  readonly layer: string | null;
  readonly path: string;
  readonly advisory: string;
  readonly source: string;
  readonly flaw: string;
  /** `advisories` row and `affected` entry. */
  readonly row: { readonly id: number; readonly position: number };
  /** `excepted`: it would hold, or be unknown, but for exceptions. */
  readonly verdict: 'holds' | 'unknown' | 'excepted' | 'no' | 'withdrawn';
  readonly exceptions: readonly Pick<
    Exception,
    'name' | 'status' | 'justification' | 'statement' | 'author' | 'expiresAt'
  >[];
  readonly severity: string;
  readonly fixedVersion: string | null;
  /** What the advisory names, and which of the package's versions was compared with which. */
  readonly compared: {
    readonly ecosystem: string;
    readonly name: string;
    readonly version: string;
    readonly affected: string;
  };
  /** Of unknown: why. */
  readonly reason: string | null;
  /** When findings of this package and advisory began and ended, milliseconds since 1970. */
  readonly history: readonly { readonly since: number; readonly until: number | null }[];
}

export interface ExplainAsk {
  readonly manifestId: number;
  /** Whose exceptions, and whose account's, count; null: no repository has it. */
  readonly repositoryId: number | null;
  /** Its id, an alias, or the name of its flaw. */
  readonly advisory?: string | undefined;
  /** A package's name. */
  readonly package?: string | undefined;
  /** Also what does not hold. */
  readonly all: boolean;
}

export async function* explain(database: Database, ask: ExplainAsk): AsyncGenerator<Explained> {
  const packages = (await placedPackages(database, ask.manifestId)).filter(
    ({ name, sourceName }) => ask.package === undefined || name === ask.package || sourceName === ask.package,
  );
  const exceptionsOf = await exceptionsOver(database, ask);
  const asked = ask.advisory === undefined ? undefined : await advisoryKeysNamed(database, ask.advisory);
  for (const [ecosystem, ofOne] of Map.groupBy(packages, (found) => found.ecosystem))
    for (let at = 0; at < ofOne.length; at += packagesAtOnce) {
      const some = ofOne.slice(at, at + packagesAtOnce);
      const named = await entriesAbout(database, ecosystem, [...new Set(some.map(advisoryName))]);
      const entries = named.filter(({ rowId }) => asked === undefined || asked.has(Number(rowId)));
      const byName = Map.groupBy(entries, ({ name }) => name);
      for (const found of some)
        yield* explainPackage(database, { found, ask, entries: byName, exceptionsOf });
    }
}

const packagesAtOnce = 50;

async function* explainPackage(
  database: Database,
  of: {
    readonly found: PlacedPackage;
    readonly ask: ExplainAsk;
    readonly entries: ReadonlyMap<string, readonly NamingEntry[]>;
    readonly exceptionsOf: ExceptionsOver;
  },
): AsyncGenerator<Explained> {
  const { found, ask } = of;
  const named = of.entries.get(advisoryName(found)) ?? [];
  if (named.length === 0) return;
  const history = await findingHistory(database, found.id);
  for (const entry of named) {
    const explained = explainEntry(found, entry);
    if (!ask.all && (explained.verdict === 'no' || explained.verdict === 'withdrawn')) continue;
    const spans = history.filter(({ advisoryId }) => advisoryId === entry.rowId);
    yield {
      ...excepted(explained, of.exceptionsOf(found.id, entry.rowId)),
      history: spans.map(({ since, until }) => ({ since, until })),
    };
  }
}

type Judged = Omit<Explained, 'history' | 'exceptions'>;

function excepted(judged: Judged, exceptions: readonly Exception[]): Omit<Explained, 'history'> {
  const counts = judged.verdict === 'holds' || judged.verdict === 'unknown';
  if (!counts || exceptions.length === 0) return { ...judged, exceptions: [] };
  const said = exceptions.map(({ name, status, justification, statement, author, expiresAt }) => ({
    ...{ name, status, justification, statement, author, expiresAt },
  }));
  return { ...judged, verdict: 'excepted', exceptions: said };
}

function explainEntry(found: PlacedPackage, entry: NamingEntry): Judged {
  const version = advisoryVersion(found);
  const verdict = verdictOf(entry, version);
  const { ecosystem, name, advisory, source, flaw, severity, rowId, position, withdrawnAt } = entry;
  const words = { affected: 'holds', unaffected: 'no', unknown: 'unknown' } as const;
  return {
    purl: found.purl,
    layer: found.layer,
    path: found.path,
    advisory,
    source,
    flaw,
    row: { id: rowId, position },
    verdict: withdrawnAt === null ? words[verdict.verdict] : 'withdrawn',
    severity,
    fixedVersion: verdict.verdict === 'affected' ? (verdict.fixedIn ?? null) : null,
    compared: {
      ecosystem,
      name,
      version,
      affected: affectedWords(entry, { version, lengthMax: limits.explainedTextMax }),
    },
    reason: verdict.verdict === 'unknown' ? verdict.reason : null,
  };
}
