import { LazaretError } from '../../lib/errors.ts';
import { parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import { type ByteSource, collect } from '../../lib/streams.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import { type ImportedVex, vexKeep, vexKnown } from '../../records/exceptions/documents.ts';
import {
  exceptionsAdd,
  exceptionsDecide,
  exceptionsRenew,
  type NewException,
} from '../../records/exceptions/exceptions.ts';
import { exceptionsOfDocument } from '../../records/exceptions/lists.ts';
import { parseVexDocument } from '../../vex/openvex.ts';
import { exceptionsSaid, placeFor, type Said, saying } from './said.ts';

export interface VexImport {
  readonly document: ByteSource;
  /** Whose images it is for; null: everybody's, by the operator. */
  readonly account: string | null;
  readonly expiresAt: number | null;
  readonly actor: string;
}

export interface VexImported extends Omit<Said, 'exceptions'> {
  readonly document: string;
  readonly version: number;
  readonly author: string;
  /** This version was imported before: nothing has changed. */
  readonly unchanged: boolean;
  /** Names of what is new. */
  readonly added: readonly string[];
  readonly kept: number;
  /** What an older version said and this one does not. */
  readonly withdrawn: number;
}

/**
 * What an OpenVEX document says counts from now on, since whoever imports it may decide. A newer version of a document
 * replaces what the older one said: what both say stays as it was decided.
 * @throws invalid, tooLarge, conflict (older than what was imported, or of its version and otherwise)
 */
export async function importVex(database: Database, ask: VexImport): Promise<VexImported> {
  const { account, expiresAt, actor } = ask;
  const bytes = await collect(ask.document, limits.vexDocumentBytesMax);
  const document = parseVexDocument(parseJsonField(bytes, 'vex'));
  const { id, version, author, issuedAt } = document;
  const imported: ImportedVex = { account, document: id, version, issuedAt, digest: digestOf(bytes) };
  const said = exceptionsSaid(document, {
    ...{ state: 'accepted', account, expiresAt, manifest: null },
    ...{ digest: imported.digest, place: placeFor(account) },
  });
  const { otherStatements, unaddressed } = said;
  const changes = await database.transact(async (tx) => {
    const before = await vexKnown(tx, imported);
    if (before) assertNotOlder(before, imported);
    await vexKeep(tx, imported, actor);
    const unchanged = before?.digest === imported.digest;
    return { unchanged, ...(await replace(tx, { imported, exceptions: said.exceptions, actor })) };
  });
  return { document: id, version, author, otherStatements, unaddressed, ...changes };
}

/** @throws conflict */
function assertNotOlder(before: ImportedVex, now: ImportedVex): void {
  const detail = { version: before.version, digest: before.digest };
  if (now.version < before.version || (now.version === before.version && now.issuedAt < before.issuedAt))
    throw new LazaretError(
      'conflict',
      `version ${now.version} of ${now.document} is older than version ${before.version}, which was imported`,
      { detail },
    );
  if (now.version === before.version && now.issuedAt === before.issuedAt && now.digest !== before.digest)
    throw new LazaretError(
      'conflict',
      `another version ${now.version} of ${now.document} was imported; a changed document has a new version or time`,
      { detail },
    );
}

async function replace(
  tx: Tx,
  of: {
    readonly imported: ImportedVex;
    readonly exceptions: readonly NewException[];
    readonly actor: string;
  },
): Promise<Pick<VexImported, 'added' | 'kept' | 'withdrawn'>> {
  const { imported, exceptions, actor } = of;
  const standing = new Map((await exceptionsOfDocument(tx.db, imported)).map((one) => [saying(one), one]));
  const wanted = new Map(exceptions.map((one) => [saying(one), one]));
  const gone = [...standing].filter(([key]) => !wanted.has(key)).map(([, one]) => one);
  const because = `version ${imported.version} of ${imported.document} does not say so`;
  if (gone.length > 0) await exceptionsDecide(tx, gone, { state: 'withdrawn', actor, because });
  const renewals = [...wanted].flatMap(([key, now]) => {
    const before = standing.get(key);
    return before ? [{ before, now }] : [];
  });
  await exceptionsRenew(tx, renewals);
  const fresh = [...wanted].filter(([key]) => !standing.has(key)).map(([, one]) => one);
  const added = await exceptionsAdd(tx, fresh, actor);
  return { added, kept: renewals.length, withdrawn: gone.length };
}
