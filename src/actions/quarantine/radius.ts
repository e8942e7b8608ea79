import type { Database } from '../../records/db/database.ts';
import type { Radius, RadiusImage } from '../../records/marks/plans.ts';
import type { Mark, Quarantine } from '../../records/marks/quarantines.ts';
import { reachOf } from '../../records/marks/reach.ts';
import { regionList } from '../../records/regions/regions.ts';
import { aboveImages, containersOfImages } from '../../records/scans/above.ts';
import { type Decide, decideAsSet } from './decide.ts';

export interface RadiusAsk {
  readonly marks: readonly Mark[];
  /** Whose repositories; null: all. */
  readonly account: string | null;
  readonly reach: 'layer' | 'image';
  readonly decide: Decide;
}

/** What decides whether a plan may be applied. */
export interface Reach extends Pick<Radius, 'layers' | 'containers'> {
  readonly images: readonly Omit<RadiusImage, 'tags'>[];
}

interface ReachById extends Omit<Reach, 'images'> {
  readonly images: readonly (Reach['images'][number] & { readonly manifestId: number })[];
}

/** Every image that these marks reach, what each reach makes of it, and what runs of those that are refused. */
export async function radiusOf(
  deps: { database: Database; region: string },
  ask: RadiusAsk,
): Promise<Radius> {
  const { layers, containers, images } = await reachedBy(deps, ask);
  const above = await aboveImages(deps.database, [...new Set(images.map((image) => image.manifestId))]);
  const regions = await regionList(deps.database.read);
  return {
    layers,
    images: images.map(({ manifestId, ...image }) => ({
      ...image,
      tags: (above.get(manifestId)?.tags ?? [])
        .filter((tag) => tag.repository === image.repository)
        .map((tag) => tag.tag),
    })),
    regions: [...new Set([deps.region, ...regions.map((region) => region.name)])],
    containers,
  };
}

/** The same without what is only shown: an acknowledgement does not wait for the tags of every image. */
export async function reachedBy(
  deps: { database: Database },
  { marks, account, reach, decide }: RadiusAsk,
): Promise<ReachById> {
  const targets = targetsOf(marks);
  const reached = await reachOf(deps.database, targets, account ?? undefined);
  const decisions = await decide(reached.images);
  const named = new Set(targets.manifests);
  const images = reached.images.map((image) => ({
    ...image,
    reachImage: named.has(image.digest)
      ? ('refused' as const)
      : (decisions.get(image.manifestId) ?? 'refused'),
  }));
  const refused = images.filter((image) => isRefused(reach, image)).map((image) => image.manifestId);
  const running = await containersOfImages(deps.database, [...new Set(refused)]);
  const containers = [...running.values()].flat();
  return {
    layers: reached.layers,
    images,
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
export function radiusGrowth(reach: 'layer' | 'image', before: Reach, now: Reach): string[] {
  const refused = (radius: Reach) => radius.images.filter((image) => isRefused(reach, image));
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
