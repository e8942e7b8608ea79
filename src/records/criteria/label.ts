import { type RawBuilder, sql } from 'kysely';
import type { Label } from '../../criteria/criteria.ts';
import { type Engine, jsonText } from '../db/engine.ts';

/** A label of the config of `images`. */
export function labelIs(engine: Engine, { name, value }: Label): RawBuilder<boolean> {
  const said = jsonText(engine, 'images.config', ['labels', name]);
  return value === undefined ? sql<boolean>`${said} is not null` : sql<boolean>`${said} = ${value}`;
}
