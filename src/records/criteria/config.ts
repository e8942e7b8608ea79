import { type RawBuilder, sql } from 'kysely';
import type { ConfigCriteria } from '../../criteria/criteria.ts';
import type { Database } from '../db/database.ts';
import { jsonHas, jsonText } from '../db/engine.ts';
import { within } from '../db/keys.ts';
import { labelIs } from './label.ts';
import type { EvidenceRow, Hit, Leaf, LeafContext } from './leaf.ts';

/**
 * `config`: what the image's config says about how it runs. It holds for the image as a whole, so its evidence names no
 * layer. An image whose config could not be read is unknown, as its inspection says.
 */
export function configLeaf(criteria: ConfigCriteria, { database, scope }: LeafContext): Leaf {
  const db = database.read;
  const conditions = [
    within(database, 'images.manifest_id', scope),
    ...conditionsOf(database, criteria.config),
  ];
  const found = sql`from images where images.config is not null and ${sql.join(conditions, sql` and `)}`;
  const asked = `config:${Object.keys(criteria.config).join(',')}`;
  return {
    matches: sql<Hit>`select images.manifest_id ${found}`.compile(db),
    unknowns: [],
    evidence: (manifestIds, limit) =>
      sql<EvidenceRow>`select images.manifest_id, null as layer, ${sql.lit(asked)} as path, null as purl,
          null as advisory, null as severity, null as fixed_version
        ${found} and ${within(database, 'images.manifest_id', manifestIds)} limit ${limit}`.compile(db),
  };
}

function conditionsOf(
  { engine }: Database,
  { user, port, env, label }: ConfigCriteria['config'],
): RawBuilder<boolean>[] {
  const conditions: RawBuilder<boolean>[] = [];
  const config = 'images.config';
  if (user !== undefined) conditions.push(userIs(jsonText(engine, config, ['user']), user));
  if (port !== undefined) conditions.push(jsonHas(engine, config, ['exposedPorts'], port));
  if (env !== undefined) conditions.push(jsonHas(engine, config, ['env'], env));
  if (label !== undefined) conditions.push(labelIs(engine, label));
  return conditions;
}

/** A group after a colon does not count. Root is who is given none, too (image-spec, config.md). */
function userIs(config: RawBuilder<string>, user: string): RawBuilder<boolean> {
  const names = user === 'root' || user === '0' ? ['', 'root', '0'] : [user];
  const each = names.map(
    (name) =>
      sql<boolean>`(${config} = ${name} or substr(${config}, 1, ${[...name].length + 1}) = ${`${name}:`})`,
  );
  return sql<boolean>`(${sql.join(each, sql` or `)})`;
}
