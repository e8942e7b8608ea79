import { spawn } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Credentials } from '../client/client.ts';
import { LazaretError } from '../lib/errors.ts';
import { isRecord } from '../lib/fields.ts';
import { collect } from '../lib/streams.ts';

/**
 * Docker's own credentials: `config.json` in $DOCKER_CONFIG or ~/.docker, with `auths`, or a credential helper where
 * the file names one; a password, or the identity token that `docker login` was given. Who has logged in with docker need not log in here, and the other way round.
 */
interface Io {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
}

/** @throws invalid if the file can't be read as JSON; unavailable if a helper fails */
export async function credentialsFor(io: Io, host: string): Promise<Credentials | undefined> {
  const config = await readConfig(configFile(io));
  const helper = helperFor(config, host);
  if (helper !== undefined) return fromHelper(await runHelper(helper, 'get', host));
  const entry = recordAt(recordAt(config, 'auths'), host);
  const token = entry.identitytoken;
  if (typeof token === 'string' && token !== '') return { kind: 'bearer', token };
  const auth = entry.auth;
  if (typeof auth !== 'string') return undefined;
  const pair = Buffer.from(auth, 'base64').toString();
  const colon = pair.indexOf(':');
  if (colon === -1) return undefined;
  return { kind: 'basic', username: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

/** Remembers a login as docker does. @returns where */
export async function credentialsStore(
  io: Io,
  host: string,
  login: { readonly username: string; readonly password: string },
): Promise<string> {
  const file = configFile(io);
  const config = await readConfig(file);
  const helper = helperFor(config, host);
  if (helper !== undefined) {
    const input = JSON.stringify({ ServerURL: host, Username: login.username, Secret: login.password });
    await runHelper(helper, 'store', input);
    return `docker-credential-${helper}`;
  }
  const auth = Buffer.from(`${login.username}:${login.password}`).toString('base64');
  const text = JSON.stringify(
    { ...config, auths: { ...recordAt(config, 'auths'), [host]: { auth } } },
    null,
    2,
  );
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${text}\n`, { mode: 0o600 });
  await rename(temporary, file);
  return file;
}

function configFile(io: Io): string {
  return join(io.env.DOCKER_CONFIG ?? join(io.homeFolder, '.docker'), 'config.json');
}

async function readConfig(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw new LazaretError('invalid', `${file} can't be read`, { cause: error });
  }
  try {
    const config: unknown = JSON.parse(text);
    return isRecord(config) ? config : {};
  } catch (cause) {
    throw new LazaretError('invalid', `${file} is not valid JSON`, { cause });
  }
}

function helperFor(config: Record<string, unknown>, host: string): string | undefined {
  const own = recordAt(config, 'credHelpers')[host];
  const helper = typeof own === 'string' ? own : config.credsStore;
  return typeof helper === 'string' && /^[\w.-]+$/.test(helper) ? helper : undefined;
}

function recordAt(record: Record<string, unknown>, key: string): Record<string, unknown> {
  const value = record[key];
  return isRecord(value) ? value : {};
}

/** What docker tells a helper as the user's name when it keeps a token in place of the password. */
const identityTokenUser = '<token>';
const helperAnswerBytesMax = 1024 * 1024;

/** docker-credential-helpers' protocol: the input on standard input, JSON back; a failure means "not found". */
async function runHelper(helper: string, verb: 'get' | 'store', input: string): Promise<string | undefined> {
  const child = spawn(`docker-credential-${helper}`, [verb], { stdio: ['pipe', 'pipe', 'ignore'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', (cause) =>
      reject(new LazaretError('unavailable', `docker-credential-${helper} can't be run`, { cause })),
    );
    child.on('close', resolve);
  });
  child.stdin.on('error', () => {}); // it ended without reading; its exit code says more
  child.stdin.end(input);
  const [status, output] = await Promise.all([ended, collect(child.stdout, helperAnswerBytesMax)]);
  if (status === 0) return output.toString();
  if (verb === 'get') return undefined;
  throw new LazaretError('unavailable', `docker-credential-${helper} failed with exit code ${status}`);
}

function fromHelper(text: string | undefined): Credentials | undefined {
  if (text === undefined) return undefined;
  const answer: unknown = JSON.parse(text);
  if (!isRecord(answer)) return undefined;
  const { Username: username, Secret: password } = answer;
  if (typeof username !== 'string' || typeof password !== 'string') return undefined;
  if (username === identityTokenUser) return { kind: 'bearer', token: password };
  return { kind: 'basic', username, password };
}
