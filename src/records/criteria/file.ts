import { type RawBuilder, sql } from 'kysely';
import type { FileCriteria } from '../../criteria/criteria.ts';
import { pathOfName } from '../../criteria/file.ts';
import { parseBytes } from '../../lib/bytes.ts';
import { limits } from '../../lib/limits.ts';
import { memberSources } from './archive-members.ts';
import { inLayersOf, layersAndImages } from './found-packages.ts';
import { hiddenAbove } from './hidden-above.ts';
import { type PathTest, pathIs } from './known-paths.ts';
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
    inLayersOf(database, 'layer_files', scope),
    ...(place === 'image' ? [sql<boolean>`not exists (${hiddenAbove('layer_files.path_id')})`] : []),
  ];
  const isPath = path === undefined ? undefined : await pathIs(database, 'layer_files.path_id', path);
  const conditions = (by: keyof PathTest) => [
    ...placed,
    sql<boolean>`layer_files.kind in ('file', 'hardlink', 'link', 'device')`,
    ...(isPath === undefined ? [] : [isPath[by]]),
    ...(sha256 === undefined ? [] : [sha256Is('layer_files.sha256', Buffer.from(sha256, 'hex'))]),
    ...(setuid === undefined ? [] : [setuidIs(setuid)]),
    ...sizeIs('layer_files.size_bytes', criteria.file),
  ];
  const where = (all: readonly RawBuilder<boolean>[]) => sql.join(all, sql` and `);
  const found: Found[] = [
    {
      path: sql`paths.path`,
      images: sql`from layer_files ${layersAndImages('layer_files', place === 'image')}
        where ${where(conditions(scope === undefined ? 'found' : 'shown'))}`,
      places: sql`from layer_files ${layersAndImages('layer_files', true)} where ${where(conditions('shown'))}`,
    },
  ];
  // What is in an archive has no mode of its own.
  const size = sizeIs('archive_files.size_bytes', criteria.file);
  for (const { rows, fileGlob } of setuid === undefined
    ? await memberSources(database, { path, sha256, size })
    : []) {
    const inArchive = [
      ...placed,
      sql<boolean>`archives.id = member.holder_id and ${sameContent}`,
      ...(fileGlob === undefined ? [] : [(await pathIs(database, 'layer_files.path_id', fileGlob)).found]),
    ];
    const of = (members: RawBuilder<unknown>, named: boolean) =>
      // The few archives come first: SQLite keeps the order of a cross join.
      sql`from (${members}) as member cross join archives cross join layer_files ${layersAndImages('layer_files', named)}
        where ${where(inArchive)}`;
    found.push({
      path: sql`paths.path || '!/' || member.path`,
      images: of(sql`select distinct each_member.holder_id from (${rows}) as each_member`, place === 'image'),
      places: of(rows, true),
    });
  }
  const union = (select: RawBuilder<unknown>) =>
    sql<Hit>`${sql.join(
      found.map(({ images }) => sql`${select} ${images}`),
      sql` union all `,
    )}`.compile(db);
  return {
    matches: union(sql`select distinct edges.manifest_id`),
    // PostgreSQL sorts what is to be distinct.
    ...(database.engine === 'postgres' ? { asFound: union(sql`select edges.manifest_id`) } : {}),
    unknowns: [],
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`${sql.join(
        found.map(
          (
            one,
          ) => sql`select edges.manifest_id, blobs.digest as layer, ${one.path} as path, null as purl, null as advisory,
            null as severity, null as fixed_version ${one.places} and ${inLayersOf(database, 'layer_files', manifestIds)}`,
        ),
        sql` union all `,
      )} limit ${limit}`.compile(db),
  };
}

interface Found {
  /** Where it is, as people are told. */
  readonly path: RawBuilder<unknown>;
  /** For which images have it. */
  readonly images: RawBuilder<unknown>;
  /** For where each has it. */
  readonly places: RawBuilder<unknown>;
}

/** By the index of `layer_files.sha256`, which is of the first bytes. */
const sameContent = sql`substr(layer_files.sha256, 1, ${sql.lit(hashStartBytes)}) = substr(archives.sha256, 1, ${sql.lit(hashStartBytes)})
    and layer_files.sha256 = archives.sha256`;

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
