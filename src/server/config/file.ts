import { readFileSync } from 'node:fs';
import { LazaretError } from '../../lib/errors.ts';
import { Field, isRecord, nearest } from '../../lib/fields.ts';
import { settings } from './settings.ts';

/** Each setting that the YAML file gives, by its key. @throws configInvalid, with the path of a key that is unknown */
export async function fileSettings(file: string): Promise<ReadonlyMap<string, Field>> {
  const { parse } = await import('yaml');
  let document: unknown;
  try {
    document = parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new LazaretError('configInvalid', `${file} can't be read: ${firstLine(cause)}`, {
      detail: { file },
      cause,
    });
  }
  const found = new Map<string, Field>();
  if (document === null) return found;
  if (!isRecord(document))
    throw new LazaretError('configInvalid', `${file} must hold keys and values`, { detail: { file } });
  collectSettings(document, '', found);
  return found;
}

function collectSettings(record: Record<string, unknown>, prefix: string, found: Map<string, Field>): void {
  for (const [name, value] of Object.entries(record)) {
    const key = prefix + name;
    if (settings.some((setting) => setting.key === key))
      found.set(key, new Field(value, key, 'configInvalid'));
    else if (!settings.some((setting) => setting.key.startsWith(`${key}.`)))
      throw unknownKey(key, name, prefix);
    else if (isRecord(value)) collectSettings(value, `${key}.`, found);
    else if (value !== null)
      throw new LazaretError('configInvalid', `${key}: must be an object`, { detail: { path: key } });
  }
}

function unknownKey(key: string, name: string, prefix: string): LazaretError {
  const siblings = settings
    .filter((setting) => setting.key.startsWith(prefix))
    .map((setting) => setting.key.slice(prefix.length).split('.')[0] ?? '');
  const known = [...new Set(siblings)];
  const near = nearest(name, known);
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean '${prefix}${near}'?`;
  const detail = near === undefined ? { path: key } : { path: key, suggestion: prefix + near };
  return new LazaretError('configInvalid', `${key}: unknown key; ${hint}`, { detail });
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
}
