import { LazaretError } from '../../lib/errors.ts';
import type { Database } from '../../records/db/database.ts';
import { imageNames, type NamedImage } from '../../records/scans/images.ts';
import type { StoredScan } from '../../records/scans/scans.ts';
import type { KeptImage } from './answer.ts';
import { keptAnswer } from './kept.ts';

/** How two answers to one question differ. */
export interface ScanDiff {
  readonly before: string;
  readonly after: string;
  readonly question: string;
  /** Match now, and did not before. */
  readonly appeared: readonly ChangedImage[];
  /** Matched before, and do not any more. */
  readonly ended: readonly ChangedImage[];
  /** Can't be told any more. */
  readonly unknown: readonly ChangedImage[];
  readonly stayed: number;
}

export interface ChangedImage {
  /** null: the image or its repository was deleted since. */
  readonly image: NamedImage | null;
  /** What the other answer said; `absent`: it did not list it, as no match or because it was not there. */
  readonly other: 'match' | 'unknown' | 'absent';
}

/** @throws invalid for answers to different questions */
export async function scanDiff(database: Database, before: StoredScan, after: StoredScan): Promise<ScanDiff> {
  if (JSON.stringify(before.criteria) !== JSON.stringify(after.criteria))
    throw new LazaretError('invalid', `${before.name} and ${after.name} are answers to different questions`);
  const old = verdictsOf(before);
  const now = verdictsOf(after);
  const changed = async (images: readonly KeptImage[], other: ReadonlyMap<string, KeptImage>) => {
    const names = await imageNames(
      database,
      images.map(([repositoryId, manifestId]) => ({ repositoryId, manifestId })),
    );
    return images.map((image, at) => ({ image: names[at] ?? null, other: saidOf(other.get(keyOf(image))) }));
  };
  const matching = (of: ReadonlyMap<string, KeptImage>) =>
    [...of.values()].filter(([, , match]) => match === 1);
  const unlike = (other: ReadonlyMap<string, KeptImage>) => (image: KeptImage) =>
    saidOf(other.get(keyOf(image))) !== saidOf(image);
  const unknown = [...now.values()].filter(([, , match]) => match === 0);
  return {
    before: before.name,
    after: after.name,
    question: keptAnswer(after).question,
    appeared: await changed(matching(now).filter(unlike(old)), old),
    ended: await changed(matching(old).filter(unlike(now)), now),
    unknown: await changed(unknown.filter(unlike(old)), old),
    stayed: matching(now).length - matching(now).filter(unlike(old)).length,
  };
}

function verdictsOf(stored: StoredScan): ReadonlyMap<string, KeptImage> {
  return new Map(keptAnswer(stored).images.map((image) => [keyOf(image), image]));
}

function keyOf([repositoryId, manifestId]: KeptImage): string {
  return `${repositoryId}/${manifestId}`;
}

function saidOf(image: KeptImage | undefined): ChangedImage['other'] {
  if (image === undefined) return 'absent';
  return image[2] === 1 ? 'match' : 'unknown';
}
