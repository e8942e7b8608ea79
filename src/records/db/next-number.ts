import type { Tx } from './database.ts';

/**
 * Names count up per kind. Taking a version puts concurrent transactions into an order, so that two never choose one name.
 */
export async function nextNumber(
  tx: Tx,
  table:
    | 'scans'
    | 'plans'
    | 'quarantines'
    | 'exceptions'
    | 'revocations'
    | 'retention_rules'
    | 'immutability_rules'
    | 'sbom_rules',
): Promise<number> {
  await tx.nextVersion();
  const row = await tx.db
    .selectFrom(table)
    .select((e) => e.fn.max('id').as('last'))
    .executeTakeFirst();
  return Number(row?.last ?? 0) + 1;
}
