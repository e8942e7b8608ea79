import type { Quarantine } from './quarantines.ts';

/** The names of all notes of decisions in a blob store begin so. */
export const decisionNotes = 'quarantine/';

/**
 * A decision as it lies beside the bytes that it is about: what a restore of the metadata reads first. Each version of
 * a quarantine has a note of its own, which is never written over: two processes that write theirs at the same time, in
 * whatever order, can't make an older decision stand for a newer one.
 */
export function decisionNote(quarantine: Quarantine): { readonly name: string; readonly text: string } {
  return {
    name: `${decisionNotes}${quarantine.uid}/${quarantine.version}.json`,
    text: `${JSON.stringify(quarantine, null, 2)}\n`,
  };
}
