import { parseCriteria } from '../../criteria/parse.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../../records/db/database.ts';
import { imageNames, type Placement } from '../../records/scans/images.ts';
import type { StoredScan } from '../../records/scans/scans.ts';
import { type KeptAnswer, type KeptImage, keptFrom, type ScanAnswer } from './answer.ts';
import { type Evaluation, evaluate } from './evaluate.ts';
import { evidenceOf } from './explain.ts';
import { ordered, type ScanOrder } from './order.ts';
import { resultsOf, type ScanResult } from './results.ts';
import { Universe, universeOfManifests } from './universe.ts';

export interface PageAsk {
  /** Where the page begins: of the page before, `next`. */
  readonly cursor?: string | undefined;
  readonly pageSize?: number | undefined;
  /** Default: as it was answered. */
  readonly order?: ScanOrder | undefined;
  readonly verdict?: ScanResult['verdict'] | undefined;
}

export interface ScanPage {
  readonly images: readonly ScanResult[];
  readonly next: string | null;
  /** Images of this page that are not in their repository any more. */
  readonly gone: number;
}

export function keptAnswer(stored: StoredScan): KeptAnswer {
  return keptFrom(stored.answer);
}

/** A page of the list that was kept, with what holds of each image now. @throws invalid */
export async function scanPage(database: Database, stored: StoredScan, ask: PageAsk): Promise<ScanPage> {
  const size = ask.pageSize ?? limits.scanPageDefault;
  const listed = await listedAs(database, keptAnswer(stored).images, ask);
  const start = startOf(ask.cursor, listed.length);
  const some = listed.slice(start, start + size);
  const images = await resultsAsOfNow(database, stored, some);
  const next = start + some.length < listed.length ? String(start + some.length) : null;
  return { images, next, gone: some.length - images.length };
}

/** The answer again, as it was given, with its first page as it is now. */
export async function scanAgain(database: Database, stored: StoredScan): Promise<ScanAnswer> {
  const { question, answeredAt, tookMs, counts, covers } = keptAnswer(stored);
  const { images, next } = await scanPage(database, stored, {});
  const { name, position } = stored;
  return { name, position, question, answeredAt, tookMs, counts, covers, images, next };
}

/** Images whose evidence is read at once, where all are told. */
export const stepImages = 200;

/** All of its images, page by page. */
export async function* scanAll(database: Database, stored: StoredScan): AsyncGenerator<ScanResult> {
  const { images } = keptAnswer(stored);
  for (let at = 0; at < images.length; at += stepImages)
    yield* await resultsAsOfNow(database, stored, images.slice(at, at + stepImages));
}

/**
 * The images that matched and match still, each with all its evidence.
 * @param operatorOnly exceptions of accounts don't count: what matches without them is among them
 */
export async function* matchesWithEvidence(
  database: Database,
  stored: StoredScan,
  operatorOnly: boolean,
): AsyncGenerator<Pick<ScanResult, 'digest' | 'evidence'>> {
  const { images, exceptedImages } = keptAnswer(stored);
  const matched = [...images.filter(([, , match]) => match === 1), ...(operatorOnly ? exceptedImages : [])];
  for (let at = 0; at < matched.length; at += stepImages) {
    const some = matched.slice(at, at + stepImages);
    const evaluation = await evaluatedNow(database, stored, { images: some, operatorOnly });
    const evidence = await evidenceOf(database, evaluation, [...evaluation.matches]);
    const { placements } = evaluation.universe;
    const names = await imageNames(database, placements);
    for (const place of evaluation.matches) {
      const name = names[place];
      if (name) yield { digest: name.digest, evidence: evidence.get(place) ?? [] };
    }
  }
}

async function resultsAsOfNow(
  database: Database,
  stored: StoredScan,
  images: readonly KeptImage[],
): Promise<ScanResult[]> {
  if (images.length === 0) return [];
  const evaluation = await evaluatedNow(database, stored, { images, operatorOnly: false });
  const places = new Map(
    evaluation.universe.placements.map((placement, at) => [keyOf(placement.repositoryId, placement), at]),
  );
  const listed = images.flatMap(([repositoryId, manifestId, match]) => {
    const at = places.get(keyOf(repositoryId, { manifestId }));
    return at === undefined ? [] : [{ at, kept: match === 1 ? ('match' as const) : ('unknown' as const) }];
  });
  return resultsOf(database, evaluation, listed);
}

/** Over just these, as far as their repositories still have them. */
export async function evaluatedNow(
  database: Database,
  stored: StoredScan,
  { images, operatorOnly }: { readonly images: readonly KeptImage[]; readonly operatorOnly: boolean },
): Promise<Evaluation> {
  const scope = [...new Set(images.map(([, manifestId]) => manifestId))];
  const wanted = new Set(images.map(([repositoryId, manifestId]) => keyOf(repositoryId, { manifestId })));
  const everywhere = await universeOfManifests(database, scope);
  const universe = new Universe(
    everywhere.placements.filter((placement) => wanted.has(keyOf(placement.repositoryId, placement))),
  );
  return evaluate(database, parseCriteria(stored.criteria), { universe, scope, operatorOnly });
}

/** What matches, and then what is unknown, as the answer has them: a page goes on where another one ended. */
async function listedAs(
  database: Database,
  images: readonly KeptImage[],
  { verdict, order }: PageAsk,
): Promise<readonly KeptImage[]> {
  const list = async (match: KeptImage[2]): Promise<readonly KeptImage[]> => {
    const some = images.filter((image) => image[2] === match);
    if (order === undefined) return some;
    const withKeys = some.map((kept) => {
      const [repositoryId, manifestId, , severity] = kept;
      return { kept, repositoryId, manifestId, severity };
    });
    return (await ordered(database, withKeys, order)).map(({ kept }) => kept);
  };
  return [...(verdict === 'unknown' ? [] : await list(1)), ...(verdict === 'match' ? [] : await list(0))];
}

export function keyOf(repositoryId: number | null, { manifestId }: Pick<Placement, 'manifestId'>): string {
  return `${repositoryId ?? 0}/${manifestId}`;
}

/** @throws invalid */
function startOf(cursor: string | undefined, length: number): number {
  if (cursor === undefined) return 0;
  const start = /^\d{1,9}$/.test(cursor) ? Number(cursor) : Number.NaN;
  if (start <= length) return start;
  throw new LazaretError('invalid', `'${cursor.slice(0, 40)}' is no place in this scan`, {
    detail: { path: 'query.after' },
  });
}
