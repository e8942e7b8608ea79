import { readFileSync } from 'node:fs';
import { LazaretError } from '../../lib/errors.ts';
import { settings } from './settings.ts';

/** The environment, read here and nowhere else. */
export type Environment = Readonly<Record<string, string | undefined>>;

export function processEnvironment(): Environment {
  return process.env;
}

/** `listen.port` → `LAZARET_LISTEN_PORT`, `access.anonymousPull` → `LAZARET_ACCESS_ANONYMOUS_PULL`. */
export function variableOf(key: string): string {
  const words = key.replace(/([a-z])([A-Z])/g, '$1_$2').replaceAll('.', '_');
  return `LAZARET_${words.toUpperCase()}`;
}

/** Variables of ours that are no setting of the server. */
const otherVariables = new Set(['LAZARET_CONFIG', 'LAZARET_SERVER', 'LAZARET_CA']);

export interface EnvironmentSettings {
  readonly values: ReadonlyMap<string, string>;
  /** One sentence for each variable that looks like ours and means nothing; Kubernetes injects such ones. */
  readonly warnings: readonly string[];
}

/** Each setting by its variable, or from the file that the variable with `_FILE` names. @throws configInvalid */
export function environmentSettings(environment: Environment): EnvironmentSettings {
  const values = new Map<string, string>();
  const known = new Set(otherVariables);
  for (const { key } of settings) {
    const variable = variableOf(key);
    const inFile = `${variable}_FILE`;
    known.add(variable).add(inFile);
    const value = environment[variable];
    const file = environment[inFile];
    if (value !== undefined) values.set(key, value);
    else if (file !== undefined) values.set(key, readSecret(file, inFile));
  }
  const unknown = Object.keys(environment).filter((name) => name.startsWith('LAZARET_') && !known.has(name));
  return { values, warnings: unknown.map((name) => `${name} is no setting of Lazaret and has no effect`) };
}

/** A file that holds one value, with or without a line end. @throws configInvalid */
export function readSecret(file: string, path: string): string {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (cause) {
    throw new LazaretError('configInvalid', `${path}: ${file} can't be read`, { detail: { path }, cause });
  }
}
