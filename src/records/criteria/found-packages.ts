import { type RawBuilder, sql } from 'kysely';
import type { MatchPlace } from '../../criteria/criteria.ts';
import { isOneOf, type OnEngine, within } from '../db/keys.ts';
import type { ImageScope } from './leaf.ts';

/**
 * Where packages were found, as a sub-query `found(manifest_id, package_id, blob_id, path_id)`: what the image with all
 * its layers still shows, or what any layer of it holds, hidden or not.
 */
export function foundPackages(on: OnEngine, place: MatchPlace, scope: ImageScope): RawBuilder<unknown> {
  return place === 'image' ? shownByImage(on, scope) : heldByLayers(on, scope);
}

function shownByImage(on: OnEngine, scope: ImageScope): RawBuilder<unknown> {
  return sql`(select manifest_id, package_id, blob_id, path_id from image_packages where ${within(on, 'manifest_id', scope)}) as found`;
}

function heldByLayers(on: OnEngine, scope: ImageScope): RawBuilder<unknown> {
  return sql`(select edges.manifest_id, layer_packages.package_id, layer_packages.blob_id, layer_packages.path_id
    from layer_packages
    join blobs on blobs.id = layer_packages.blob_id
    join edges on edges.digest = blobs.digest and edges.kind = 'layer'
    where ${inLayersOf(on, 'layer_packages', scope)}) as found`;
}

/**
 * Rows that the layers of these images have, as those images have them. From their layers on: what is searched for may be
 * in very many, and each layer in many images; so the images are no way to begin (the engine doesn't look through `+ 0`).
 * On PostgreSQL the layers are a list, which an index is asked for, since it does not know how many rows a value has that it
 * planned without, and would look at the layers row by row.
 */
export function inLayersOf(
  on: OnEngine,
  rows: 'layer_files' | 'layer_packages' | 'found',
  scope: ImageScope,
): RawBuilder<boolean> {
  if (scope === undefined || scope.length === 0) return within(on, 'edges.manifest_id', scope);
  const layers = layersOf(on, scope);
  const inLayers = on.engine === 'postgres' ? sql`= any(array(${layers}))` : sql`in (${layers})`;
  return sql<boolean>`${sql.ref(`${rows}.blob_id`)} ${inLayers}
    and edges.manifest_id + 0 ${isOneOf(on, scope)}`;
}

function layersOf(on: OnEngine, manifestIds: readonly number[]): RawBuilder<unknown> {
  return sql`select own_blobs.id from edges as own_edges join blobs as own_blobs on own_blobs.digest = own_edges.digest
    where own_edges.kind = 'layer' and ${within(on, 'own_edges.manifest_id', manifestIds)}`;
}

/**
 * From rows that layers have to the images of those layers.
 * @param named whether the path is asked for, too
 */
export function layersAndImages(rows: 'layer_files' | 'found', named: boolean): RawBuilder<unknown> {
  return sql`${named ? sql`join paths on paths.id = ${sql.ref(`${rows}.path_id`)}` : sql``}
    join blobs on blobs.id = ${sql.ref(`${rows}.blob_id`)}
    join edges on edges.digest = blobs.digest and edges.kind = 'layer'`;
}
