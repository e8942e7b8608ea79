import type { Tx } from '../db/database.ts';

/** The version of an OpenVEX document that was imported last, for an account or (null) by the operator. */
export interface ImportedVex {
  readonly account: string | null;
  readonly document: string;
  readonly version: number;
  /** When its author last changed it, milliseconds since 1970. */
  readonly issuedAt: number;
  readonly digest: string;
}

/** The caller's transaction takes versions (`nextVersion`), so that two imports of one document follow each other. */
export async function vexKnown(
  tx: Tx,
  { account, document }: Pick<ImportedVex, 'account' | 'document'>,
): Promise<ImportedVex | undefined> {
  await tx.nextVersion();
  const row = await tx.db
    .selectFrom('vex_documents')
    .selectAll()
    .where('account', '=', account ?? '')
    .where('document', '=', document)
    .executeTakeFirst();
  return row && { account, document, version: row.version, issuedAt: row.issued_at, digest: row.digest };
}

export async function vexKeep(tx: Tx, imported: ImportedVex, actor: string): Promise<void> {
  const { version, digest } = imported;
  const changing = {
    ...{ version, issued_at: imported.issuedAt, digest },
    ...{ imported_at: tx.nowMs, imported_by: actor },
  };
  await tx.db
    .insertInto('vex_documents')
    .values({ account: imported.account ?? '', document: imported.document, ...changing })
    .onConflict((c) => c.columns(['account', 'document']).doUpdateSet(changing))
    .execute();
}
