import { type RawBuilder, sql } from 'kysely';
import type { FileCriteria } from '../../criteria/criteria.ts';
import { globMatcher, globPrefix, isLiteralGlob } from '../../lib/globs.ts';
import type { Database } from '../db/database.ts';
import { memberSources } from './archive-members.ts';
import { within } from './found-packages.ts';
import type { EvidenceRow, ImageScope, Leaf } from './leaf.ts';

const setuidBit = 0o4000;

/**
 * `file`: by path, content or set-uid. In a layer (the default: bytes that a later layer deletes can still be pulled out)
 * or in the image, where an upper layer that has the path again, or hides it or a folder above it, takes it away.
 */
export async function fileLeaf(database: Database, criteria: FileCriteria, scope: ImageScope): Promise<Leaf> {
  const db = database.read;
  const { path, sha256, setuid, in: place = 'layer' } = criteria.file;
  const placed = [
    within('edges.manifest_id', scope),
    ...(place === 'image' ? [sql<boolean>`not exists (${hiddenAbove('layer_files.path_id')})`] : []),
  ];
  const conditions = [
    ...placed,
    sql<boolean>`layer_files.kind in ('file', 'hardlink', 'link', 'device')`,
    ...(path === undefined ? [] : [await pathIs(database, 'layer_files.path_id', path)]),
    ...(sha256 === undefined ? [] : [sql<boolean>`layer_files.sha256 = ${Buffer.from(sha256, 'hex')}`]),
    ...(setuid === undefined ? [] : [setuidIs(setuid)]),
  ];
  const found: Found[] = [
    {
      path: sql`paths.path`,
      from: sql`from layer_files ${layersAndImages} where ${sql.join(conditions, sql` and `)}`,
    },
  ];
  // What is in an archive has no mode of its own.
  for (const { rows, fileGlob } of setuid === undefined
    ? await memberSources(database, { path, sha256 })
    : []) {
    const inArchive = [
      ...placed,
      ...(fileGlob === undefined ? [] : [await pathIs(database, 'layer_files.path_id', fileGlob)]),
    ];
    const from = sql`from (${rows}) as member join archives on archives.id = member.holder_id
      join layer_files on ${sameContent} ${layersAndImages} where ${sql.join(inArchive, sql` and `)}`;
    found.push({ path: sql`paths.path || '!/' || member.path`, from });
  }
  return {
    matches: sql<{ manifest_id: number }>`${sql.join(
      found.map(({ from }) => sql`select distinct edges.manifest_id ${from}`),
      sql` union `,
    )}`.compile(db),
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`${sql.join(
        found.map(
          (
            one,
          ) => sql`select edges.manifest_id, blobs.digest as layer, ${one.path} as path, null as purl, null as advisory,
            null as severity, null as fixed_version ${one.from} and ${within('edges.manifest_id', manifestIds)}`,
        ),
        sql` union all `,
      )} limit ${limit}`.compile(db),
  };
}

interface Found {
  /** Where it is, as people are told. */
  readonly path: RawBuilder<unknown>;
  readonly from: RawBuilder<unknown>;
}

const layersAndImages = sql`join paths on paths.id = layer_files.path_id
    join blobs on blobs.id = layer_files.blob_id
    join edges on edges.digest = blobs.digest and edges.kind = 'layer'`;

/** By the index of `layer_files.sha256`. */
const sameContent = sql`layer_files.sha256 = archives.sha256`;

/** A later layer of the same image that has this path again, or hides it or a folder above it. */
export const hiddenAbove = (pathId: string) => sql`select 1 from edges as upper_edges
  join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
  join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
  join paths as upper_paths on upper_paths.id = upper_files.path_id
  where upper_edges.manifest_id = edges.manifest_id and upper_edges.kind = 'layer'
    and upper_edges.position > edges.position
    and (upper_files.path_id = ${sql.ref(pathId)}
      or (upper_files.kind in ('whiteout', 'opaque')
        and substr(paths.path, 1, length(upper_paths.path) + 1) = upper_paths.path || '/'))`;

function setuidIs(wanted: boolean): RawBuilder<boolean> {
  return wanted
    ? sql<boolean>`(layer_files.mode & ${sql.lit(setuidBit)}) != 0`
    : sql<boolean>`(layer_files.mode & ${sql.lit(setuidBit)}) = 0`;
}

/** A literal path by its index; of a glob, the known paths are narrowed by its literal start and then matched one by one. */
export async function pathIs(database: Database, pathId: string, glob: string): Promise<RawBuilder<boolean>> {
  if (isLiteralGlob(glob)) return sql<boolean>`paths.path = ${glob}`;
  const prefix = globPrefix(glob);
  const suffix = /[^*?{}[\]\\/]*$/.exec(glob)?.[0] ?? '';
  const candidates = await database.search(
    sql<{ id: number; path: string }>`select id, path from paths
      where path like ${`${escaped(prefix)}%${escaped(suffix)}`} escape '!'`.compile(database.read),
  );
  const matches = globMatcher(glob);
  const ids = candidates.filter((row) => matches(row.path)).map((row) => row.id);
  return within(pathId, ids);
}

function escaped(literal: string): string {
  return literal.replace(/[!%_]/g, '!$&');
}
