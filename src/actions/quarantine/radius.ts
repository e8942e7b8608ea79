import type { Database } from '../../records/db/database.ts';
import type { Radius, RadiusImage } from '../../records/marks/plans.ts';
import type { Mark, Quarantine } from '../../records/marks/quarantines.ts';
import { reachOf } from '../../records/marks/reach.ts';
import { regionList } from '../../records/regions/regions.ts';
import { aboveImages } from '../../records/scans/images.ts';
import { type Decide, decideAsSet } from './decide.ts';

export interface RadiusAsk {
  readonly marks: readonly Mark[];
  /** Whose repositories; null: all. */
  readonly account: string | null;
  readonly reach: 'layer' | 'image';
  readonly decide: Decide;
}

/** Every image that these marks reach, what each reach makes of it, and what runs of those that are refused. */
export async function radiusOf(
  deps: { database: Database; region: string },
  { marks, account, reach, decide }: RadiusAsk,
): Promise<Radius> {
  const targets = targetsOf(marks);
  const reached = await reachOf(deps.database, targets, account ?? undefined);
  const decisions = await decide(reached.images);
  const ids = [...new Set(reached.images.map((image) => image.manifestId))];
  const above = await aboveImages(deps.database, ids);
  const images = reached.images.map((image) => ({
    ...image,
    tags: (above.get(image.manifestId)?.tags ?? [])
      .filter((tag) => tag.repository === image.repository)
      .map((tag) => tag.tag),
    reachImage: targets.manifests.includes(image.digest)
      ? ('refused' as const)
      : (decisions.get(image.manifestId) ?? 'refused'),
  }));
  const containers = images
    .filter((image) => isRefused(reach, image))
    .flatMap((image) => above.get(image.manifestId)?.containers ?? []);
  const regions = await regionList(deps.database.read);
  return {
    layers: reached.layers,
    images: images.map(({ manifestId, ...image }) => image),
    regions: [...new Set([deps.region, ...regions.map((region) => region.name)])],
    containers: [...new Map(containers.map((container) => [container.uid, container])).values()],
  };
}

/** Of a quarantine that is set: what it reaches now. */
export function radiusNow(
  deps: { database: Database; region: string },
  quarantine: Quarantine,
): Promise<Radius> {
  const { marks, scopeAccount: account, reach } = quarantine;
  return radiusOf(deps, { marks, account, reach, decide: decideAsSet(deps.database, quarantine) });
}

export function isRefused(reach: 'layer' | 'image', image: Pick<RadiusImage, 'reachImage'>): boolean {
  return reach === 'layer' || image.reachImage !== 'spared';
}

function targetsOf(marks: readonly Mark[]) {
  const named = (target: Mark['target']) =>
    marks
      .filter((mark) => mark.target === target)
      .map((mark) => mark.digest)
      .filter((digest) => digest !== null);
  const repositories = marks.map((mark) => mark.repositoryGlob).filter((glob) => glob !== null);
  return { layers: named('layer'), manifests: named('manifest'), repositories };
}

/** What `now` has that `before` had not: a plan is not applied to more than it showed. */
export function radiusGrowth(reach: 'layer' | 'image', before: Radius, now: Radius): string[] {
  const refused = (radius: Radius) => radius.images.filter((image) => isRefused(reach, image));
  const grown = <T>(kind: string, key: (item: T) => string, then: readonly T[], later: readonly T[]) => {
    const known = new Set(then.map(key));
    return later
      .map(key)
      .filter((item) => !known.has(item))
      .map((item) => `${kind} ${item}`);
  };
  return [
    ...grown('layer', (layer) => layer.digest, before.layers, now.layers),
    ...grown('image', (image) => `${image.repository}@${image.digest}`, refused(before), refused(now)),
    ...grown('container', (container) => container.uid, before.containers, now.containers),
  ];
}
