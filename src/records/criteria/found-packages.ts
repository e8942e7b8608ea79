import assert from 'node:assert/strict';
import { type RawBuilder, sql } from 'kysely';
import type { MatchPlace } from '../../criteria/criteria.ts';
import type { ImageScope } from './leaf.ts';

/**
 * Where packages were found, as a sub-query `found(manifest_id, package_id, blob_id, path_id)`: what the image with all
 * its layers still shows, or what any layer of it holds, hidden or not.
 */
export function foundPackages(place: MatchPlace, scope: ImageScope): RawBuilder<unknown> {
  return place === 'image' ? shownByImage(scope) : heldByLayers(scope);
}

function shownByImage(scope: ImageScope): RawBuilder<unknown> {
  return sql`(select manifest_id, package_id, blob_id, path_id from image_packages where ${within('manifest_id', scope)}) as found`;
}

function heldByLayers(scope: ImageScope): RawBuilder<unknown> {
  return sql`(select edges.manifest_id, layer_packages.package_id, layer_packages.blob_id, layer_packages.path_id
    from layer_packages
    join blobs on blobs.id = layer_packages.blob_id
    join edges on edges.digest = blobs.digest and edges.kind = 'layer'
    where ${inLayersOf('layer_packages', scope)}) as found`;
}

/**
 * Rows that the layers of these images have, as those images have them. From their layers on: what is searched for may be
 * in very many, and each layer in many images; so the images are no way to begin (the engine doesn't look through `+ 0`).
 */
export function inLayersOf(
  rows: 'layer_files' | 'layer_packages' | 'found',
  scope: ImageScope,
): RawBuilder<boolean> {
  if (scope === undefined || scope.length === 0) return within('edges.manifest_id', scope);
  return sql<boolean>`${sql.ref(`${rows}.blob_id`)} in (${layersOf(scope)})
    and edges.manifest_id + 0 in (${keyList(scope)})`;
}

function layersOf(manifestIds: readonly number[]): RawBuilder<unknown> {
  return sql`select own_blobs.id from edges as own_edges join blobs as own_blobs on own_blobs.digest = own_edges.digest
    where own_edges.kind = 'layer' and ${within('own_edges.manifest_id', manifestIds)}`;
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

/** `column in (…)`; true for everything when there is no list, false for everything when it is empty. */
export function within(column: string, ids: readonly number[] | undefined): RawBuilder<boolean> {
  if (ids === undefined) return sql<boolean>`1 = 1`;
  if (ids.length === 0) return sql<boolean>`1 = 0`;
  return sql<boolean>`${sql.ref(column)} in (${keyList(ids)})`;
}

/** As one text, since there may be thousands; `null` of none, which nothing is. */
export function keyList(ids: readonly number[]): RawBuilder<unknown> {
  if (ids.length === 0) return sql`null`;
  assert(ids.every(Number.isSafeInteger), 'keys are whole numbers');
  return sql.raw(ids.join(', '));
}
