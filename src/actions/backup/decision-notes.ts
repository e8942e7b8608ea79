import type { BlobStore } from '../../blobs/blob-store.ts';
import { checked } from '../../contract/check.ts';
import { quarantineSchema } from '../../contract/quarantines.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Quarantine } from '../../records/marks/quarantines.ts';

const decisions = 'quarantine/';

/**
 * Brings the notes of `from` into `to`. A decision is taken over only if it is newer: a release is a version too, so
 * whichever store has heard more of it wins.
 */
export async function notesMerge(from: BlobStore, to: BlobStore): Promise<void> {
  for (const name of await from.notes.names('')) {
    const text = await from.notes.get(name);
    const there = await to.notes.get(name);
    if (text === undefined || text === there) continue;
    if (there === undefined || (name.startsWith(decisions) && (await isNewer(name, text, there))))
      await to.notes.put(name, text);
  }
}

/** Every decision that a store has a note of. @throws invalid: a note that can't be read might be a mark */
export async function decisionsOf(store: BlobStore): Promise<Quarantine[]> {
  const found: Quarantine[] = [];
  for (const name of await store.notes.names(decisions)) {
    const text = await store.notes.get(name);
    if (text !== undefined) found.push(await decisionOf(name, text));
  }
  return found;
}

async function isNewer(name: string, text: string, there: string): Promise<boolean> {
  return (await decisionOf(name, text)).version > (await decisionOf(name, there)).version;
}

async function decisionOf(name: string, text: string): Promise<Quarantine> {
  try {
    return await checked(quarantineSchema, JSON.parse(text), { where: name });
  } catch (cause) {
    throw new LazaretError('invalid', `the note ${name} can't be read; mend it: it may be a mark`, { cause });
  }
}
