/**
 * Advisories of several sources are about one flaw, and a person wants it told once. Each row has the flaw's name: its
 * CVE where one is known, else the smallest of the names that it gives itself. What has no CVE of its own takes that of an
 * advisory which it names, or which names it, whichever of the two came first: one look-up each way, so that neither a
 * cycle of aliases nor a long chain of them costs more.
 *
 * `upstream` is a name of the same flaw where it tells of one (`CVE-2026-1`, and with it `UBUNTU-CVE-2026-1`). A
 * distribution's advisory that passes on several is about all of them: it stays itself, whichever came first. `related`
 * never is.
 */
import { sql } from 'kysely';
import type { OsvAdvisory } from '../../versions/osv/advisory.ts';
import { readOsvDocument } from '../../versions/osv/read-documents.ts';
import type { Tx } from '../db/database.ts';
import { idTable, textTable } from '../db/engine.ts';
import { storable } from './storable.ts';

const cvePattern = /^CVE-\d{4}-\d{4,}$/;

/** All names that an advisory gives its flaw, its own id first. */
export function flawNames({ id, aliases, upstream }: OsvAdvisory): readonly string[] {
  const told = new Set(upstream.map((name) => /CVE-\d{4}-\d{4,}$/.exec(name)?.[0] ?? name));
  return [id, ...aliases, ...(told.size === 1 ? upstream : [])].map(storable);
}

/** As far as the advisory itself says. */
export function flawOf(advisory: OsvAdvisory): string {
  const names = flawNames(advisory).toSorted();
  return names.find((name) => cvePattern.test(name)) ?? names[0] ?? advisory.id;
}

interface Settled {
  readonly id: number;
  readonly advisory: OsvAdvisory;
}

/** Joins what was just written with what is here. */
export async function flawsSettle(tx: Tx, settled: readonly Settled[]): Promise<void> {
  const named = settled.filter(({ advisory }) => !cvePattern.test(flawOf(advisory)));
  await flawsTake(tx, named);
  await flawsGive(
    tx,
    settled.filter(({ advisory }) => cvePattern.test(flawOf(advisory))),
  );
}

/** Those without a CVE take the one that somebody else knows. */
async function flawsTake(tx: Tx, settled: readonly Settled[]): Promise<void> {
  if (settled.length === 0) return;
  const others = new Map<string, string>();
  const names = settled.flatMap(({ advisory }) => flawNames(advisory).slice(1));
  if (names.length > 0)
    for (const row of await flawsOf(tx, names)) if (cvePattern.test(row.flaw)) others.set(row.name, row.flaw);
  const ids = settled.map(({ advisory }) => advisory.id);
  const known = await flawsNaming(tx, ids, (flaw) => cvePattern.test(flaw));
  for (const row of known) others.set(row.name, row.flaw);
  for (const { id, advisory } of settled) {
    const flaw = flawNames(advisory).flatMap((name) => others.get(name) ?? [])[0];
    if (flaw !== undefined)
      await tx.db.updateTable('advisories').set({ flaw }).where('id', '=', id).execute();
  }
}

/** Those with a CVE give it to what they name, and to what names them, where that has none. */
async function flawsGive(tx: Tx, settled: readonly Settled[]): Promise<void> {
  if (settled.length === 0) return;
  const flaws = new Map(
    settled.flatMap(({ advisory }) => flawNames(advisory).map((name) => [name, flawOf(advisory)] as const)),
  );
  const names = [...flaws.keys()].filter((name) => !cvePattern.test(name));
  if (names.length === 0) return;
  const ids = settled.map(({ advisory }) => advisory.id);
  const unknown = await flawsNaming(tx, ids, (flaw) => !cvePattern.test(flaw));
  for (const row of [...(await flawsOf(tx, names)), ...unknown]) {
    const flaw = flaws.get(row.name);
    if (flaw === undefined || cvePattern.test(row.flaw)) continue;
    await tx.db.updateTable('advisories').set({ flaw }).where('id', '=', row.id).execute();
  }
}

interface NamedFlaw {
  readonly id: number;
  readonly flaw: string;
  /** By which it was found. */
  readonly name: string;
}

async function flawsOf(tx: Tx, names: readonly string[]): Promise<readonly NamedFlaw[]> {
  const { rows } = await sql<NamedFlaw>`select advisories.id, advisories.flaw, wanted.text as name
    from ${textTable(tx.engine, names)} cross join advisories where advisories.advisory_id = wanted.text`.execute(
    tx.db,
  );
  return rows;
}

/** Those that give one of these ids as a name of their flaw, and not only among several that they pass on. */
async function flawsNaming(
  tx: Tx,
  ids: readonly string[],
  isAsked: (flaw: string) => boolean,
): Promise<readonly NamedFlaw[]> {
  const { rows } = await sql<NamedFlaw>`select advisories.id, advisories.flaw, wanted.text as name
    from ${textTable(tx.engine, ids)} cross join advisory_aliases cross join advisories
    where advisory_aliases.alias = wanted.text and advisories.id = advisory_aliases.advisory_id`.execute(
    tx.db,
  );
  const asked = rows.filter(({ flaw }) => isAsked(flaw));
  const given = await namesGiven(tx, [...new Set(asked.map(({ id }) => id))]);
  return asked.filter(({ id, name }) => given.get(id)?.includes(name));
}

/** What each of these documents calls its flaw; of one that can't be read nothing. */
async function namesGiven(tx: Tx, ids: readonly number[]): Promise<ReadonlyMap<number, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const { rows } = await sql<{ id: number; body: string }>`select advisories.id, advisories.body
    from ${idTable(tx.engine, ids)} as ids cross join advisories where advisories.id = ids.id`.execute(tx.db);
  return new Map(
    rows.map(({ id, body }) => {
      const reading = readOsvDocument({ where: '', bytes: Buffer.from(body) });
      return [id, reading.ok ? flawNames(reading.advisory) : []];
    }),
  );
}
