import { type RawBuilder, sql } from 'kysely';
import { isLiteralGlob } from '../../lib/globs.ts';

/** How many stars the engine is given: each multiplies what it may have to try. */
const starsMax = 3;

/**
 * Whether a glob without braces may mean a text, as far as the engine can tell: its `like` is told only what it does as a
 * glob does, and may let more through.
 */
export function textMayBe(text: RawBuilder<string>, glob: string): RawBuilder<boolean> {
  if (isLiteralGlob(glob)) return sql<boolean>`${text} = ${glob}`;
  if (glob.split('/').includes('**') || glob.includes('\\')) return sql<boolean>`1 = 1`;
  const parts = glob.split(/\*+/);
  const pattern =
    parts.length - 1 > starsMax
      ? `${likeOf(parts[0] ?? '')}%${likeOf(parts.at(-1) ?? '')}`
      : parts.map(likeOf).join('%');
  return sql<boolean>`${text} like ${pattern} escape '!'`;
}

function likeOf(part: string): string {
  return part.replace(/[!%_]/g, '!$&').replaceAll('?', '_');
}
