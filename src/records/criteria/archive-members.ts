/**
 * `file` also asks what is in archives. A member's path begins with the archive's and `!/`: `app.jar!/org/A.class`, and so
 * on for archives in archives. A glob reaches into archives where it says `!/`, and at each `**`, which stands for archives
 * on the way as for folders (docs/concepts/scan.md).
 */
import { type RawBuilder, sql } from 'kysely';
import { globAlternatives, globMatcher, isLiteralGlob } from '../../lib/globs.ts';
import type { Database } from '../db/database.ts';
import { globIs } from '../db/glob-condition.ts';
import { isAmong, type PathTest } from './known-paths.ts';

/** Rows `{holder_id, path}`: an archive that may be a layer's file, and a member's path in it. */
export interface MemberSource {
  readonly rows: RawBuilder<unknown>;
  /** The archive's own path in the image; undefined: any. */
  readonly fileGlob: string | undefined;
}

export interface MemberCriteria {
  readonly path?: string | undefined;
  readonly sha256?: string | undefined;
  /** Of the member. A size alone is not looked for in archives. */
  readonly size?: readonly RawBuilder<boolean>[];
}

/** @throws invalid */
export async function memberSources(
  database: Database,
  { path, sha256, size = [] }: MemberCriteria,
): Promise<MemberSource[]> {
  const content =
    sha256 === undefined
      ? size
      : [...size, sql<boolean>`archive_files.sha256 = ${Buffer.from(sha256, 'hex')}`];
  if (path === undefined)
    return sha256 === undefined ? [] : [{ rows: memberRows(content, undefined), fileGlob: undefined }];
  const sources: MemberSource[] = [];
  for (const { fileGlob, nestedGlob, memberGlob } of globAlternatives(path).flatMap(splits)) {
    const isMember = await memberIs(database, memberGlob);
    if (!isMember) continue;
    const conditions = [...content, isMember.found];
    const nested = nestedGlob === undefined ? undefined : await nestedPaths(database, nestedGlob);
    sources.push({ rows: memberRows(conditions, nested), fileGlob });
  }
  return sources;
}

interface Split {
  readonly fileGlob: string | undefined;
  /** The archives between file and member; undefined: any or none. */
  readonly nestedGlob?: string;
  readonly memberGlob: string;
}

function splits(glob: string): Split[] {
  const [file = '', ...inside] = glob.split('!/');
  const memberGlob = inside.pop();
  if (memberGlob !== undefined) {
    const nestedGlob = inside.join('!/');
    if (nestedGlob === '' && memberGlob.startsWith('**/')) return [{ fileGlob: file, memberGlob }];
    return [{ fileGlob: file, nestedGlob, memberGlob }];
  }
  const segments = glob.split('/');
  return segments.flatMap((segment, at) => {
    // What ends with `**` has the archive itself.
    if (segment !== '**' || at === segments.length - 1) return [];
    const above = segments.slice(0, at);
    const fileGlob = above.every((one) => one === '**') ? undefined : `${above.join('/')}/**`;
    return [{ fileGlob, memberGlob: segments.slice(at).join('/') }];
  });
}

/** By the known paths in archives, narrowed by their name where the glob has it; undefined: none is so. */
function memberIs(database: Database, glob: string): Promise<PathTest | undefined> {
  const name = glob.slice(glob.lastIndexOf('/') + 1);
  const narrowed = isLiteralGlob(name) ? sql<boolean>`name = ${name}` : sql<boolean>`1 = 1`;
  const ids = sql`select id from archive_paths where ${narrowed}
    and ${globIs(database.engine, sql<string>`folder || name`, glob)}`;
  return isAmong(database, 'archive_files.path_id', ids);
}

/** '' is no archive between. */
async function nestedPaths(database: Database, glob: string): Promise<readonly string[]> {
  if (glob === '') return [];
  const known = await database.search(
    sql<{ path: string }>`select distinct path from archive_nestings`.compile(database.read),
  );
  const matches = globMatcher(glob);
  return known.map((row) => row.path).filter(matches);
}

function memberRows(
  conditions: readonly RawBuilder<boolean>[],
  nested: readonly string[] | undefined,
): RawBuilder<unknown> {
  const from = sql`archive_files join archive_paths on archive_paths.id = archive_files.path_id`;
  const where = sql.join(conditions, sql` and `);
  const path = sql`archive_paths.folder || archive_paths.name`;
  const direct = sql`select archive_files.archive_id as holder_id, ${path} as path from ${from} where ${where}`;
  const throughNested = sql`select archive_nestings.archive_id as holder_id, archive_nestings.path || '!/' || ${path} as path
    from ${from} join archive_nestings on archive_nestings.nested_id = archive_files.archive_id where ${where}`;
  if (nested === undefined) return sql`${direct} union all ${throughNested}`;
  if (nested.length === 0) return direct;
  return sql`${throughNested} and archive_nestings.path in (${sql.join([...nested])})`;
}
