/**
 * An exception says of an advisory that its findings do not count: for which images and packages, why, who says so, and
 * until when. Only an accepted one has an effect, and none after its expiry, whether or not its state has followed yet.
 *
 *   proposed → accepted → withdrawn, or expired
 *           ↘ withdrawn
 */
import type { Selectable } from 'kysely';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { storable } from '../advisories/storable.ts';
import { bulkInsert } from '../db/bulk-insert.ts';
import type { Tx } from '../db/database.ts';
import { chunked, locked, type Reader } from '../db/engine.ts';
import { nextNumber } from '../db/next-number.ts';
import type { ExceptionTable } from '../db/tables/advisories.ts';

export type ExceptionState = ExceptionTable['state'];

/** What it says. */
export interface ExceptionTerms {
  /** Whose images it is for; null: everybody's, by the operator. */
  readonly account: string | null;
  /** null: of all repositories; any image; any package. */
  readonly repositoryGlob: string | null;
  readonly imageDigest: string | null;
  readonly purl: string | null;
  readonly advisory: string;
  readonly aliases: readonly string[];
  readonly status: ExceptionTable['status'];
  readonly justification: string | null;
  /** In its author's words. */
  readonly statement: string | null;
  readonly author: string;
  /** Milliseconds since 1970; null: never. */
  readonly expiresAt: number | null;
}

/** The document that said so. */
export interface ExceptionSource {
  readonly document: string;
  readonly version: number;
  /** Of the document's bytes. */
  readonly digest: string;
  /** `vex.statements[3].products[0]` */
  readonly path: string;
  /** Of one that came as an image's referrer: the referrer's digest. */
  readonly manifest: string | null;
}

export interface Exception extends ExceptionTerms {
  /** `E-3` */
  readonly name: string;
  readonly state: ExceptionState;
  readonly source: ExceptionSource | null;
  readonly createdAt: number;
  readonly createdBy: string;
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
  readonly decidedBecause: string | null;
}

export interface NewException extends ExceptionTerms {
  readonly state: 'proposed' | 'accepted';
  readonly source: ExceptionSource | null;
}

const columns = [
  ...([
    'name',
    'state',
    'account',
    'repository_glob',
    'image_digest',
    'purl',
    'advisory',
    'aliases',
  ] as const),
  ...(['status', 'justification', 'statement', 'author', 'source_document', 'source_version'] as const),
  ...(['source_digest', 'source_manifest', 'source_path', 'expires_at', 'created_at', 'created_by'] as const),
  ...(['decided_at', 'decided_by', 'decided_because'] as const),
] satisfies readonly (keyof ExceptionTable)[];

/** @param added all of one account and state @returns their names @throws conflict beyond the limits of exceptions */
export async function exceptionsAdd(
  tx: Tx,
  added: readonly NewException[],
  actor: string,
): Promise<readonly string[]> {
  const [some] = added;
  if (!some) return [];
  const first = await nextNumber(tx, 'exceptions');
  await assertRoom(tx, some, added.length);
  const names = added.map((_, at) => `E-${first + at}`);
  const rows = added.map((one, at) => rowOf(tx, { one, name: names[at] ?? '', actor }));
  await bulkInsert(tx, { table: 'exceptions', columns }, rows);
  emitChange(tx, { type: `exception.${some.state}`, exceptions: added, actor });
  return names;
}

/** Who may only propose can't fill the room of those who decide. @throws conflict */
async function assertRoom(
  { db }: Tx,
  { state, account }: Pick<NewException, 'state' | 'account'>,
  wanted: number,
): Promise<void> {
  const of = db
    .selectFrom('exceptions')
    .select((e) => e.fn.countAll<number>().as('count'))
    .where('state', '=', state);
  const isProposal = state === 'proposed';
  const counted = isProposal ? of.where('account', account === null ? 'is' : '=', account) : of;
  const { count } = await counted.executeTakeFirstOrThrow();
  const limit = isProposal ? 'exceptionsProposedMax' : 'exceptionsMax';
  if (Number(count) + wanted <= limits[limit]) return;
  throw new LazaretError('conflict', `there may be ${limits[limit]} ${state} exceptions at one time`, {
    detail: { limit, exceptions: Number(count) },
  });
}

export interface Decision {
  readonly state: 'accepted' | 'withdrawn' | 'expired';
  readonly actor: string;
  readonly because: string | null;
  /** Of an acceptance: undefined leaves it as it is. */
  readonly expiresAt?: number | null | undefined;
}

/** Moves these, as they were read in this transaction, to another state. @throws conflict beyond `limits.exceptionsMax` */
export async function exceptionsDecide(
  tx: Tx,
  exceptions: readonly Exception[],
  { state, actor, because, expiresAt }: Decision,
): Promise<void> {
  const [some] = exceptions;
  if (some && state === 'accepted') await assertRoom(tx, { state, account: some.account }, exceptions.length);
  for (const part of chunked(exceptions.map(({ name }) => ({ name }))))
    await tx.db
      .updateTable('exceptions')
      .set({ state, decided_at: tx.nowMs, decided_by: actor, decided_because: because })
      .set(expiresAt === undefined ? {} : { expires_at: expiresAt })
      .where(
        'name',
        'in',
        part.map(({ name }) => name),
      )
      .execute();
  emitChange(tx, { type: `exception.${state}`, exceptions, actor });
}

export interface Renewal {
  readonly before: Exception;
  readonly now: NewException;
}

/** A newer version of their document says the same, perhaps in another place. */
export async function exceptionsRenew(tx: Tx, renewals: readonly Renewal[]): Promise<void> {
  const [first] = renewals;
  if (!first) return;
  const { source, expiresAt } = first.now;
  const version = { source_version: source?.version ?? null, source_digest: source?.digest ?? null };
  for (const part of chunked(renewals.map(({ before: { name } }) => ({ name }))))
    await tx.db
      .updateTable('exceptions')
      .set({ ...version, expires_at: expiresAt })
      .where(
        'name',
        'in',
        part.map(({ name }) => name),
      )
      .execute();
  for (const { before, now } of renewals)
    if (before.source?.path !== now.source?.path)
      await tx.db
        .updateTable('exceptions')
        .set({ source_path: now.source?.path ?? null })
        .where('name', '=', before.name)
        .execute();
}

/** Locks the row until the transaction ends. @throws notFound */
export async function exceptionLocked(tx: Tx, name: string): Promise<Exception> {
  const row = await locked(
    tx.engine,
    tx.db.selectFrom('exceptions').selectAll().where('name', '=', name),
  ).executeTakeFirst();
  if (!row) throw new LazaretError('notFound', `there is no exception '${name}'`);
  return exceptionOf(row);
}

export async function exceptionNamed(db: Reader, name: string): Promise<Exception | undefined> {
  const row = await db.selectFrom('exceptions').selectAll().where('name', '=', name).executeTakeFirst();
  return row && exceptionOf(row);
}

/** Bulk work appends one event a batch; it names the first of them. */
function emitChange(
  tx: Tx,
  change: {
    readonly type: string;
    readonly exceptions: readonly Pick<Exception, 'account' | 'advisory'>[];
    readonly actor: string;
  },
): void {
  const { type, exceptions, actor } = change;
  for (const [account, some] of Map.groupBy(exceptions, (one) => one.account)) {
    const advisories = [...new Set(some.map(({ advisory }) => advisory))];
    tx.emit({
      type,
      lane: 'local',
      account: account ?? undefined,
      subject: advisories.length === 1 ? (advisories[0] ?? '') : `${advisories.length} advisories`,
      actor,
      data: { account, exceptions: some.length, advisories: advisories.slice(0, limits.vexAliasesMax) },
    });
  }
}

/** In the order of the columns. */
function rowOf(tx: Tx, { one, name, actor }: { one: NewException; name: string; actor: string }) {
  const { source } = one;
  const accepted = one.state === 'accepted';
  return [
    ...[name, one.state, one.account, one.repositoryGlob, one.imageDigest, one.purl, storable(one.advisory)],
    ...[JSON.stringify(one.aliases.map(storable)), one.status, one.justification, textOrNull(one.statement)],
    ...[storable(one.author), textOrNull(source?.document), source?.version ?? null, source?.digest ?? null],
    ...[source?.manifest ?? null, source?.path ?? null, one.expiresAt, tx.nowMs, actor],
    ...(accepted ? [tx.nowMs, actor, null] : [null, null, null]),
  ];
}

function textOrNull(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : storable(text);
}

export function exceptionOf(row: Selectable<ExceptionTable>): Exception {
  return {
    name: row.name,
    state: row.state,
    account: row.account,
    repositoryGlob: row.repository_glob,
    imageDigest: row.image_digest,
    purl: row.purl,
    advisory: row.advisory,
    aliases: JSON.parse(row.aliases),
    status: row.status,
    justification: row.justification,
    statement: row.statement,
    author: row.author,
    expiresAt: row.expires_at,
    source:
      row.source_document === null
        ? null
        : {
            document: row.source_document,
            version: row.source_version ?? 0,
            digest: row.source_digest ?? '',
            path: row.source_path ?? '',
            manifest: row.source_manifest,
          },
    createdAt: row.created_at,
    createdBy: row.created_by,
    decidedAt: row.decided_at,
    decidedBy: row.decided_by,
    decidedBecause: row.decided_because,
  };
}
