import { type RawBuilder, sql } from 'kysely';
import type { SecretCriteria } from '../../criteria/criteria.ts';
import { secretKindsNamed } from '../../criteria/secret.ts';
import { globMatcher, isLiteralGlob } from '../../lib/globs.ts';
import { parseFingerprint } from '../../secrets/fingerprint.ts';
import type { Database } from '../db/database.ts';
import { within } from '../db/keys.ts';
import { inLayersOf, layersAndImages } from './found-packages.ts';
import { hiddenAbove } from './hidden-above.ts';
import { pathIs } from './known-paths.ts';
import type { EvidenceRow, Hit, ImageScope, Leaf, LeafContext } from './leaf.ts';

/**
 * `secret`: in a layer, whether a later one hides it or not (the default: whoever can pull the layer can read it), or in
 * what the image shows; an image's config is part of both. A layer whose text was not looked through to its end makes
 * the image unknown.
 */
export async function secretLeaf(criteria: SecretCriteria, { database, scope }: LeafContext): Promise<Leaf> {
  const db = database.read;
  const { path, in: place = 'layer' } = criteria.secret;
  const wanted = conditionsOf(criteria.secret);
  const ofLayers = [
    ...wanted,
    inLayersOf(database, 'found', scope),
    ...(path === undefined ? [] : [(await pathIs(database, 'found.path_id', path)).found]),
    ...(place === 'image' ? [sql<boolean>`not exists (${hiddenAbove('found.path_id')})`] : []),
  ];
  const ofConfigs = [
    ...wanted,
    within(database, 'found.manifest_id', scope),
    ...(path === undefined ? [] : [await placeIs(database, path)]),
  ];
  const layers = (named: boolean) => sql`layer_secrets as found ${layersAndImages('found', named)}
    where ${sql.join(ofLayers, sql` and `)}`;
  const configs = sql`image_secrets as found where ${sql.join(ofConfigs, sql` and `)}`;
  const images = (distinct: RawBuilder<unknown>) =>
    sql<Hit>`select ${distinct} edges.manifest_id from ${layers(place === 'image')}
      union all select ${distinct} found.manifest_id from ${configs}`.compile(db);
  return {
    matches: images(sql`distinct`),
    // PostgreSQL sorts what is to be distinct.
    ...(database.engine === 'postgres' ? { asFound: images(sql``) } : {}),
    unknowns: [
      {
        images: notLookedThrough(database, scope).compile(db),
        because: 'a layer was not looked through for secrets to its end',
      },
    ],
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`select edges.manifest_id, blobs.digest as layer, paths.path, null as purl, null as advisory,
          null as severity, null as fixed_version, found.kind as secret, found.line
        from ${layers(true)} and ${inLayersOf(database, 'found', manifestIds)}
      union all select found.manifest_id, null, found.place, null, null, null, null, found.kind, null
        from ${configs} and ${within(database, 'found.manifest_id', manifestIds)}
      limit ${limit}`.compile(db),
  };
}

function conditionsOf({ kind, fingerprint }: SecretCriteria['secret']): RawBuilder<boolean>[] {
  const conditions: RawBuilder<boolean>[] = [];
  if (kind !== undefined && kind !== '*')
    conditions.push(
      sql<boolean>`found.kind in (${sql.join(secretKindsNamed(kind).map((id) => sql.lit(id)))})`,
    );
  const parsed = fingerprint === undefined ? undefined : parseFingerprint(fingerprint);
  if (parsed) {
    const bytes = Buffer.from(parsed.fingerprint);
    conditions.push(
      sql<boolean>`found.fingerprint = ${bytes} and found.key_version = ${sql.lit(parsed.version)}`,
    );
  }
  return conditions.length > 0 ? conditions : [sql<boolean>`1 = 1`];
}

/** Of the few distinct places in configs that have a secret, those that the glob means. */
async function placeIs(database: Database, glob: string): Promise<RawBuilder<boolean>> {
  if (isLiteralGlob(glob)) return sql<boolean>`found.place = ${glob}`;
  const rows = await database.read.selectFrom('image_secrets').select('place').distinct().execute();
  const places = rows.map(({ place }) => place).filter(globMatcher(glob));
  if (places.length === 0) return sql<boolean>`1 = 0`;
  return sql<boolean>`found.place in (${sql.join(places)})`;
}

/** Read before secrets were looked for, or with a text file that is too large: an index holds just these. */
function notLookedThrough(database: Database, scope: ImageScope) {
  // Few layers are so, and come first: SQLite keeps the order of a cross join.
  const join = scope === undefined ? sql`cross join` : sql`, `;
  return sql<Hit>`select distinct edges.manifest_id from inspections ${join} blobs ${join} edges
    where blobs.id = inspections.blob_id and edges.digest = blobs.digest and edges.kind = 'layer'
      and inspections.state = 'done' and inspections.secrets_read = 0 and ${within(database, 'edges.manifest_id', scope)}`;
}
