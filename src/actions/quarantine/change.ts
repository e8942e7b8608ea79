import { LazaretError } from '../../lib/errors.ts';
import type { Database, Tx } from '../../records/db/database.ts';
import {
  type Quarantine,
  quarantineApply,
  quarantineGet,
  quarantineLocked,
} from '../../records/marks/quarantines.ts';
import { keepNote } from './note.ts';
import type { QuarantineDeps } from './plan.ts';

/** What becomes of a quarantine after it was set. */
export type QuarantineEvent =
  | 'quarantine.set'
  | 'quarantine.changed'
  | 'quarantine.released'
  | 'quarantine.destroyed';

/**
 * A new version of a quarantine, made where it was set. Its row is locked, so that of two changes the later one sees the
 * earlier. It is acknowledged once it is also a note in the blob store.
 * @throws notFound, conflict (released before, or set in another region), and what `change` throws
 */
export async function quarantineChange(
  deps: QuarantineDeps,
  ask: { readonly quarantine: string; readonly actor: string; readonly type: QuarantineEvent },
  change: (before: Quarantine, tx: Tx) => Promise<Partial<Quarantine>> | Partial<Quarantine>,
): Promise<Quarantine> {
  const changed = await deps.database.transact(async (tx) => {
    const before = await quarantineLocked(tx, ask.quarantine);
    if (!before) throw unknown(ask.quarantine);
    assertOwn(deps, before);
    const after: Quarantine = {
      ...before,
      ...(await change(before, tx)),
      version: await tx.nextVersion(),
      changedAt: tx.nowMs,
    };
    await quarantineApply(tx, after);
    emitQuarantine(tx, ask.type, after, ask.actor);
    return after;
  });
  await keepNote(deps.blobs, changed);
  return changed;
}

/** The whole object travels, in the lane that is read ahead. */
export function emitQuarantine(tx: Tx, type: QuarantineEvent, quarantine: Quarantine, actor: string): void {
  const account = quarantine.scopeAccount ?? undefined;
  tx.emit({ type, lane: 'quarantine', account, subject: quarantine.name, actor, data: { ...quarantine } });
}

/** An active quarantine that this region set. @throws notFound, conflict */
export async function ownQuarantine(deps: QuarantineDeps, name: string): Promise<Quarantine> {
  const quarantine = await quarantineNamed(deps, name);
  assertOwn(deps, quarantine);
  return quarantine;
}

/** @throws notFound */
export async function quarantineNamed(deps: { database: Database }, name: string): Promise<Quarantine> {
  const quarantine = await quarantineGet(deps.database.read, name);
  if (!quarantine) throw unknown(name);
  return quarantine;
}

function assertOwn({ region }: { readonly region: string }, quarantine: Quarantine): void {
  const { name, origin } = quarantine;
  if (quarantine.releasedAt !== null) throw new LazaretError('conflict', `${name} was released before`);
  if (origin !== region)
    throw new LazaretError('conflict', `${name} was set in region '${origin}': do it there`, {
      detail: { region: origin },
    });
}

function unknown(name: string): LazaretError {
  return new LazaretError('notFound', `there is no quarantine '${name}'`);
}
