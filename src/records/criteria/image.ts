import { type RawBuilder, sql } from 'kysely';
import type { ImageCriteria } from '../../criteria/criteria.ts';
import { timeMs } from '../../criteria/parts.ts';
import { parseDuration } from '../../lib/duration.ts';
import { globMatcher, isLiteralGlob } from '../../lib/globs.ts';
import type { Database } from '../db/database.ts';
import { jsonText, textTable } from '../db/engine.ts';
import { within } from '../db/keys.ts';
import { baseIs } from './base.ts';
import { labelIs } from './label.ts';
import type { EvidenceRow, Hit, Leaf, LeafContext } from './leaf.ts';

type Asked = ImageCriteria['image'];

/**
 * `image`: the image as a repository has it, so that the same manifest may match in one repository and not in another. It
 * holds for the image as a whole: its evidence names no layer. An image whose config does not say when it was built is
 * unknown where its age is asked for.
 */
export async function imageLeaf({ image }: ImageCriteria, context: LeafContext): Promise<Leaf> {
  const { database, scope } = context;
  const db = database.read;
  const base = image.base === undefined ? undefined : await baseIs(database, image.base);
  const conditions = [
    within(database, 'repository_manifests.manifest_id', scope),
    sql<boolean>`repository_manifests.deleted_at is null`,
    ...(await catalogConditions(database, image)),
    ...(await configConditions(context, image)),
    ...(base === undefined ? [] : [base.condition]),
  ];
  const aged = ageConditions(image, database.nowMs());
  const having = (further: readonly RawBuilder<boolean>[]) =>
    sql`${placements} where ${sql.join([...conditions, ...further], sql` and `)}`;
  const place = `image:${Object.keys(image).join(',')}`;
  return {
    matches: hits(having(aged)).compile(db),
    unknowns:
      aged.length === 0
        ? []
        : [
            {
              images: hits(having([sql<boolean>`images.created_at is null`])).compile(db),
              because: 'its config does not say when it was built',
            },
          ],
    ...(base && !base.known ? { unanswerable: `nothing here has the digest ${image.base}` } : {}),
    ...(asksConfig(image) ? {} : { needsNoInspection: true }),
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`select repository_manifests.manifest_id, repository_manifests.repository_id, null as layer,
          ${sql.lit(place)} as path, null as purl, null as advisory, null as severity, null as fixed_version
        ${having([...aged, within(database, 'repository_manifests.manifest_id', manifestIds)])} limit ${limit}`.compile(
        db,
      ),
  };
}

const placements = sql`from repository_manifests
  join images on images.manifest_id = repository_manifests.manifest_id
  join manifests on manifests.id = repository_manifests.manifest_id`;

function hits(from: RawBuilder<unknown>) {
  return sql<Hit>`select repository_manifests.manifest_id, repository_manifests.repository_id ${from}`;
}

function asksConfig({ label, olderThan, newerThan, source, revision }: Asked): boolean {
  return [label, olderThan, newerThan, source, revision].some((part) => part !== undefined);
}

async function catalogConditions(database: Database, image: Asked): Promise<RawBuilder<boolean>[]> {
  const { repository, tag, platform, pushedBy, pushedAfter, pushedBefore, notPulledFor } = image;
  const conditions: RawBuilder<boolean>[] = [];
  const pushedAt = sql.ref('repository_manifests.pushed_at');
  if (repository !== undefined) conditions.push(await repositoryIs(database, repository));
  if (tag !== undefined) conditions.push(await tagIs(database, tag));
  if (platform !== undefined)
    conditions.push(sql<boolean>`(manifests.platform = ${platform}
      or substr(manifests.platform, 1, ${platform.length + 1}) = ${`${platform}/`})`);
  if (pushedBy !== undefined) {
    const known = sql`select distinct pushed_by as text from repository_manifests`;
    conditions.push(
      await textIs(database, { value: sql`repository_manifests.pushed_by`, glob: pushedBy, known }),
    );
  }
  if (pushedAfter !== undefined) conditions.push(sql<boolean>`${pushedAt} >= ${timeMs(pushedAfter)}`);
  if (pushedBefore !== undefined) conditions.push(sql<boolean>`${pushedAt} < ${timeMs(pushedBefore)}`);
  if (notPulledFor !== undefined)
    conditions.push(sql<boolean>`coalesce(repository_manifests.last_pulled_at, ${pushedAt})
      <= ${database.nowMs() - parseDuration(notPulledFor)}`);
  return conditions;
}

async function configConditions(
  { database, scope }: LeafContext,
  { label, source, revision }: Asked,
): Promise<RawBuilder<boolean>[]> {
  const { engine } = database;
  const conditions = label === undefined ? [] : [labelIs(engine, label)];
  for (const [name, glob] of [['source', source] as const, ['revision', revision] as const]) {
    if (glob === undefined) continue;
    const key = `org.opencontainers.image.${name}`;
    const value = sql`coalesce(${jsonText(engine, 'manifests.annotations', [key])},
      ${jsonText(engine, 'images.config', ['labels', key])})`;
    const known = sql`select distinct ${value} as text from images join manifests on manifests.id = images.manifest_id
      where ${within(database, 'images.manifest_id', scope)}`;
    conditions.push(await textIs(database, { value, glob, known }));
  }
  return conditions;
}

function ageConditions({ olderThan, newerThan }: Asked, nowMs: number): RawBuilder<boolean>[] {
  const builtAt = sql.ref('images.created_at');
  return [
    ...(olderThan === undefined ? [] : [sql<boolean>`${builtAt} <= ${nowMs - parseDuration(olderThan)}`]),
    ...(newerThan === undefined ? [] : [sql<boolean>`${builtAt} > ${nowMs - parseDuration(newerThan)}`]),
  ];
}

async function repositoryIs(database: Database, glob: string): Promise<RawBuilder<boolean>> {
  const rows = await database.search(
    sql<{ id: number; name: string }>`select id, name from repositories`.compile(database.read),
  );
  const matches = globMatcher(glob);
  const ids = rows.filter(({ name }) => matches(name)).map(({ id }) => Number(id));
  return within(database, 'repository_manifests.repository_id', ids);
}

/** A tag of the image itself, or of an index of the same repository that names it. */
async function tagIs(database: Database, glob: string): Promise<RawBuilder<boolean>> {
  const known = sql`select distinct name as text from tags`;
  const named = await textIs(database, { value: sql`tags.name`, glob, known });
  return sql<boolean>`exists (select 1 from tags
    where tags.repository_id = repository_manifests.repository_id
      and (tags.manifest_id = repository_manifests.manifest_id or tags.manifest_id in
        (select edges.manifest_id from edges where edges.digest = manifests.digest and edges.kind = 'child'))
      and ${named})`;
}

/** A glob never goes to the engine: the known texts, rows `{text}`, are matched here. */
async function textIs(
  database: Database,
  { value, glob, known }: { value: RawBuilder<unknown>; glob: string; known: RawBuilder<unknown> },
): Promise<RawBuilder<boolean>> {
  if (isLiteralGlob(glob)) return sql<boolean>`${value} = ${glob}`;
  const rows = await database.search(sql<{ text: string | null }>`${known}`.compile(database.read));
  const matches = globMatcher(glob);
  const texts = rows.flatMap(({ text }) => (text !== null && matches(text) ? [text] : []));
  return sql<boolean>`${value} in (select wanted.text from ${textTable(database.engine, texts)})`;
}
