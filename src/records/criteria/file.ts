import { type RawBuilder, sql } from 'kysely';
import type { FileCriteria } from '../../criteria/criteria.ts';
import { pathOfName } from '../../criteria/file.ts';
import { parseBytes } from '../../lib/bytes.ts';
import { globMatcher, globPrefix, isLiteralGlob } from '../../lib/globs.ts';
import { limits } from '../../lib/limits.ts';
import type { Database } from '../db/database.ts';
import { splitPath } from '../inventory/paths.ts';
import { memberSources } from './archive-members.ts';
import { layersOf, within } from './found-packages.ts';
import type { EvidenceRow, Hit, Leaf, LeafContext } from './leaf.ts';

const setuidBit = 0o4000;
const hashStartBytes = 6;

/**
 * `file`: by path, content or set-uid. In a layer (the default: bytes that a later layer deletes can still be pulled out)
 * or in the image, where an upper layer that has the path again, or hides it or a folder above it, takes it away.
 */
export async function fileLeaf(criteria: FileCriteria, { database, scope }: LeafContext): Promise<Leaf> {
  const db = database.read;
  const { name, sha256, setuid, in: place = 'layer' } = criteria.file;
  const path = name === undefined ? criteria.file.path : pathOfName(name);
  const placed = [
    within('edges.manifest_id', scope),
    ...(place === 'image' ? [sql<boolean>`not exists (${hiddenAbove('layer_files.path_id')})`] : []),
  ];
  const conditions = [
    ...placed,
    sql<boolean>`layer_files.kind in ('file', 'hardlink', 'link', 'device')`,
    ...(path === undefined ? [] : [await pathIs(database, 'layer_files.path_id', path)]),
    ...(sha256 === undefined ? [] : [sha256Is('layer_files.sha256', Buffer.from(sha256, 'hex'))]),
    ...(setuid === undefined ? [] : [setuidIs(setuid)]),
    ...sizeIs('layer_files.size_bytes', criteria.file),
  ];
  const found: Found[] = [
    {
      path: sql`paths.path`,
      from: sql`from layer_files ${layersAndImages} where ${sql.join(conditions, sql` and `)}`,
    },
  ];
  // What is in an archive has no mode of its own.
  const size = sizeIs('archive_files.size_bytes', criteria.file);
  for (const { rows, fileGlob } of setuid === undefined
    ? await memberSources(database, { path, sha256, size })
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
    matches: sql<Hit>`${sql.join(
      found.map(({ from }) => sql`select distinct edges.manifest_id ${from}`),
      sql` union `,
    )}`.compile(db),
    unknowns: [],
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`${sql.join(
        found.map(
          (
            one,
          ) => sql`select edges.manifest_id, blobs.digest as layer, ${one.path} as path, null as purl, null as advisory,
            null as severity, null as fixed_version ${one.from} and ${within('edges.manifest_id', manifestIds)}
            and layer_files.blob_id in (${layersOf(manifestIds)})`,
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

/** By the index of `layer_files.sha256`, which is of the first bytes. */
const sameContent = sql`substr(layer_files.sha256, 1, ${sql.lit(hashStartBytes)}) = substr(archives.sha256, 1, ${sql.lit(hashStartBytes)})
    and layer_files.sha256 = archives.sha256`;

/** A later layer of the same image that has this path again, or hides it or a folder above it. */
export const hiddenAbove = (pathId: string) => sql`select 1 from edges as upper_edges
  join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
  join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
  where upper_edges.manifest_id = edges.manifest_id and upper_edges.kind = 'layer'
    and upper_edges.position > edges.position and upper_files.path_id = ${sql.ref(pathId)}
  union all select 1 from edges as upper_edges
  join blobs as upper_blobs on upper_blobs.digest = upper_edges.digest
  join layer_files as upper_files on upper_files.blob_id = upper_blobs.id
  join paths as upper_paths on upper_paths.id = upper_files.path_id
  where upper_edges.manifest_id = edges.manifest_id and upper_edges.kind = 'layer'
    and upper_edges.position > edges.position and upper_files.kind in ('whiteout', 'opaque')
    and substr(paths.path, 1, length(upper_paths.path) + 1) = upper_paths.path || '/'`;

/** By the first bytes, which are indexed, and then by all. */
function sha256Is(column: string, sha256: Buffer): RawBuilder<boolean> {
  const start = sha256.subarray(0, hashStartBytes);
  return sql<boolean>`(substr(${sql.ref(column)}, 1, ${sql.lit(hashStartBytes)}) = ${start} and ${sql.ref(column)} = ${sha256})`;
}

function setuidIs(wanted: boolean): RawBuilder<boolean> {
  return wanted
    ? sql<boolean>`(layer_files.mode & ${sql.lit(setuidBit)}) != 0`
    : sql<boolean>`(layer_files.mode & ${sql.lit(setuidBit)}) = 0`;
}

/** What is large is found by a partial index, whose condition has to be said. */
function sizeIs(column: string, { sizeMin, sizeMax }: FileCriteria['file']): RawBuilder<boolean>[] {
  const size = sql.ref(column);
  const least = sizeMin === undefined ? 0 : parseBytes(sizeMin);
  return [
    ...(least >= limits.largeFileBytes ? [sql<boolean>`${size} >= ${sql.lit(limits.largeFileBytes)}`] : []),
    ...(sizeMin === undefined ? [] : [sql<boolean>`${size} >= ${least}`]),
    ...(sizeMax === undefined ? [] : [sql<boolean>`${size} <= ${parseBytes(sizeMax)}`]),
  ];
}

/**
 * A literal path by its index. Of a glob, the known paths are narrowed by the name if that is literal,
 * else by the folders that they must lie in, and then matched one by one.
 */
export async function pathIs(database: Database, pathId: string, glob: string): Promise<RawBuilder<boolean>> {
  if (isLiteralGlob(glob))
    return sql<boolean>`${sql.ref(pathId)} in (select folder_entries.id ${entryAt(glob)})`;
  const candidates = await database.search(
    sql<{ id: number; path: string }>`select folder_entries.id, folders.path || folder_entries.name as path
      from folder_entries join folders on folders.id = folder_entries.folder_id
      where ${narrowed(glob)}`.compile(database.read),
  );
  const matches = globMatcher(glob);
  const ids = candidates.filter((row) => matches(row.path)).map((row) => row.id);
  return within(pathId, ids);
}

function entryAt(path: string): RawBuilder<unknown> {
  const { folder, name } = splitPath(path);
  return sql`from folder_entries join folders on folders.id = folder_entries.folder_id
    where folder_entries.name = ${name} and folders.path = ${folder}`;
}

function narrowed(glob: string): RawBuilder<boolean> {
  const { name } = splitPath(glob);
  if (name !== '' && isLiteralGlob(name) && !/[{}]/.test(glob))
    return sql<boolean>`folder_entries.name = ${name}`;
  const { folder } = splitPath(globPrefix(glob));
  // All folders that begin so lie between it and what comes next after it, `0` being the character after the slash.
  if (folder !== '')
    return sql<boolean>`folders.path >= ${folder} and folders.path < ${`${folder.slice(0, -1)}0`}`;
  const suffix = /[^*?{}[\]\\/]*$/.exec(glob)?.[0] ?? '';
  return sql<boolean>`folder_entries.name like ${`%${escaped(suffix)}`} escape '!'`;
}

function escaped(literal: string): string {
  return literal.replace(/[!%_]/g, '!$&');
}
