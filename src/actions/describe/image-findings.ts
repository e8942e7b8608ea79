/**
 * What is found in an image as it is counted and compared: once for each flaw of a package, however many sources tell of it,
 * and without what exceptions except where the image is.
 */
import { worst } from '../../records/advisories/affected.ts';
import { whyAnyMayBeHit } from '../../records/advisories/broken.ts';
import { type ImageFinding, imageFindings } from '../../records/advisories/image-findings.ts';
import { unfedImages } from '../../records/criteria/unfed.ts';
import type { Database } from '../../records/db/database.ts';
import { exceptionsOver } from '../../records/exceptions/over-image.ts';

export interface PlacedImage {
  readonly manifestId: number;
  /** Whose exceptions count; null: no repository has it. */
  readonly repositoryId: number | null;
}

/** @returns those that count, and how many more exceptions except */
export async function findingsIn(
  database: Database,
  image: PlacedImage,
): Promise<{ readonly counted: readonly ImageFinding[]; readonly excepted: number }> {
  const exceptionsOf = await exceptionsOver(database, image);
  const isExcepted = ({ packageId, advisoryId }: ImageFinding) =>
    exceptionsOf(packageId, advisoryId).length > 0;
  const all = await imageFindings(database, image.manifestId);
  const counted = merged(all.filter((one) => !isExcepted(one)));
  return { counted, excepted: merged(all).length - counted.length };
}

/** One advisory speaks for all of its flaw: one that applies before one that may, with the worst severity and a fix. */
function merged(findings: readonly ImageFinding[]): ImageFinding[] {
  const flaws = Map.groupBy(findings, ({ packageId, flaw }) => `${packageId} ${flaw}`);
  return [...flaws.values()].flatMap((all) => {
    const deciding = all.filter(({ verdict }) => verdict === all[0]?.verdict);
    const [first] = deciding;
    if (first === undefined) return [];
    const fixedVersion = deciding.find((one) => one.fixedVersion !== null)?.fixedVersion ?? null;
    return [{ ...first, fixedVersion, severity: worst(deciding.map(({ severity }) => severity)) }];
  });
}

/** How many of each severity apply, how many of them have a fix, and how many may apply. */
export function findingCounts(counted: readonly ImageFinding[]) {
  const findings = { critical: 0, high: 0, medium: 0, low: 0, none: 0, unknown: 0 };
  let fixable = 0;
  let undecided = 0;
  for (const { verdict, severity, fixedVersion } of counted) {
    if (verdict === 'unknown') undecided += 1;
    else findings[severity] += 1;
    if (verdict === 'affected' && fixedVersion !== null) fixable += 1;
  }
  return { findings, fixable, undecided };
}

/**
 * Why nobody can tell what else applies to an image: of which of its ecosystems no advisory was ever loaded, and what was
 * given that can't be read.
 */
export async function advisoryGaps(database: Database, manifestId: number): Promise<readonly string[]> {
  const gaps: string[] = [];
  for (const { images, because } of await unfedImages(database, [manifestId]))
    if ((await database.search(images)).length > 0) gaps.push(because);
  const because = await whyAnyMayBeHit(database);
  if (because !== undefined) gaps.push(because);
  return gaps;
}
