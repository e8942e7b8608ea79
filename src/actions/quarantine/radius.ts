import type { Database } from '../../records/db/database.ts';
import type { Radius } from '../../records/marks/plans.ts';
import type { Mark } from '../../records/marks/quarantines.ts';
import { reachOf } from '../../records/marks/reach.ts';
import { regionList } from '../../records/regions/regions.ts';
import { aboveImages } from '../../records/scans/images.ts';

/** Everything that these marks reach, in the repositories of `account` or (null) in all. */
export async function radiusOf(
  deps: { database: Database; region: string },
  marks: readonly Mark[],
  account: string | null,
): Promise<Radius> {
  const named = (target: Mark['target']) =>
    marks
      .filter((mark) => mark.target === target)
      .map((mark) => mark.digest)
      .filter((digest) => digest !== null);
  const repositories = marks.map((mark) => mark.repositoryGlob).filter((glob) => glob !== null);
  const targets = { layers: named('layer'), manifests: named('manifest'), repositories };
  const reached = await reachOf(deps.database, targets, account ?? undefined);
  const above = await aboveImages(deps.database, [
    ...new Set(reached.images.map((image) => image.manifestId)),
  ]);
  const containers = [...above.values()].flatMap((names) => names.containers);
  const regions = await regionList(deps.database.read);
  return {
    layers: reached.layers,
    images: reached.images.map(({ manifestId, repository, digest }) => ({
      repository,
      digest,
      tags: (above.get(manifestId)?.tags ?? [])
        .filter((tag) => tag.repository === repository)
        .map((tag) => tag.tag),
    })),
    regions: [...new Set([deps.region, ...regions.map((region) => region.name)])],
    containers: [...new Map(containers.map((container) => [container.uid, container])).values()],
  };
}

/** What `now` has that `before` had not: a plan is not applied to more than it showed. */
export function radiusGrowth(before: Radius, now: Radius): string[] {
  const grown = <T>(kind: string, key: (item: T) => string, then: readonly T[], later: readonly T[]) => {
    const known = new Set(then.map(key));
    return later
      .map(key)
      .filter((item) => !known.has(item))
      .map((item) => `${kind} ${item}`);
  };
  return [
    ...grown('layer', (layer) => layer.digest, before.layers, now.layers),
    ...grown('image', (image) => `${image.repository}@${image.digest}`, before.images, now.images),
    ...grown('container', (container) => container.uid, before.containers, now.containers),
  ];
}
