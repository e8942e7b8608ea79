import type { BlobStore } from '../../blobs/blob-store.ts';
import { checked } from '../../contract/check.ts';
import { quarantineSchema } from '../../contract/quarantines.ts';
import { LazaretError } from '../../lib/errors.ts';
import { decisionNotes } from '../../records/marks/decision-note.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';

/** Brings the notes of `from` into `to`, which may have others. What both have is the same: a note never changes. */
export async function notesMerge(from: BlobStore, to: BlobStore): Promise<void> {
  const there = new Set(await to.notes.names(''));
  for (const name of await from.notes.names('')) {
    if (there.has(name)) continue;
    const text = await from.notes.get(name);
    if (text !== undefined) await to.notes.put(name, text);
  }
}

/**
 * The last version of every decision that a store has a note of: a release is a version too.
 * @throws invalid: a note that can't be read might be a mark
 */
export async function decisionsOf(store: BlobStore): Promise<Quarantine[]> {
  const last = new Map<string, Quarantine>();
  for (const name of await store.notes.names(decisionNotes)) {
    const text = await store.notes.get(name);
    if (text === undefined) continue;
    const found = await decisionOf(name, text);
    if (found.version > (last.get(found.uid)?.version ?? -1)) last.set(found.uid, found);
  }
  return [...last.values()];
}

async function decisionOf(name: string, text: string): Promise<Quarantine> {
  try {
    return await checked(quarantineSchema, JSON.parse(text), { where: name });
  } catch (cause) {
    throw new LazaretError('invalid', `the note ${name} can't be read; mend it: it may be a mark`, { cause });
  }
}
