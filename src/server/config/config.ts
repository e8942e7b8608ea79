import { existsSync } from 'node:fs';
import { isIP } from 'node:net';
import { join, resolve } from 'node:path';
import type { AdvisoryFeed } from '../../actions/match/feed-source.ts';
import type { SparseRule } from '../../actions/push/sparse.ts';
import type { BlobStoreConfig } from '../../blobs/drivers.ts';
import { parseDuration } from '../../lib/duration.ts';
import { LazaretError } from '../../lib/errors.ts';
import { Field } from '../../lib/fields.ts';
import { globMatcher } from '../../lib/globs.ts';
import type { ClamdConfig } from '../../outbound/clamd.ts';
import type { DatabaseConfig } from '../../records/db/drivers.ts';
import { blobsOf } from './blobs.ts';
import { clamavOf } from './clamav.ts';
import { type Environment, environmentSettings, readSecret } from './env.ts';
import { feedsOf } from './feeds.ts';
import { fileSettings } from './file.ts';
import { jsonList } from './json-list.ts';
import { type Setting, type SettingKey, settings } from './settings.ts';
import { sparseOf } from './sparse.ts';

/** What the server is told, checked and complete. Folders are absolute, durations are milliseconds. */
export interface Config {
  readonly region: string;
  readonly primary: string;
  readonly dataFolder: string;
  readonly listen: {
    readonly host: string;
    readonly port: number;
    /** The files of certificate and key; null: plain HTTP. */
    readonly tls: TlsFiles | null;
    /** Addresses and ranges that are believed about where a request comes from. */
    readonly trustedProxies: readonly string[];
  };
  /** How many processes speak it with clients, and how long what is in flight may go on when the server ends. */
  readonly http: { readonly processes: number; readonly drainMs: number };
  /** null: where the client asked. */
  readonly url: string | null;
  readonly database: DatabaseConfig;
  readonly blobs: BlobStoreConfig;
  readonly access: { readonly anonymousPull: readonly string[]; readonly requestsPerMinute: number };
  readonly push: { readonly sparse: readonly SparseRule[] };
  readonly peers: readonly PeerConfig[];
  readonly replication: { readonly repositories: readonly string[] };
  readonly collection: { readonly graceMs: number; readonly intervalMs: number };
  readonly retention: {
    readonly packagesMs: number;
    readonly harmfulMs: number;
    readonly intervalMs: number;
  };
  readonly inspection: { readonly workers: number; readonly clamav: ClamdConfig | undefined };
  readonly advisories: { readonly sources: readonly AdvisoryFeed[] };
  /** Private addresses and ranges that the server may fetch from. */
  readonly outbound: { readonly private: readonly string[] };
  readonly log: { readonly level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent' };
}

export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
}

export interface PeerConfig {
  readonly name: string;
  readonly url: string;
  readonly secret: string;
  /** The certificates, PEM, that its server's must be signed by; without: those that Node knows. */
  readonly ca?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly string[];
}

export interface ConfigSources {
  readonly environment: Environment;
  /** From `--config`; else $LAZARET_CONFIG; else lazaret.yaml, if it is there. */
  readonly file?: string | undefined;
}

/** The environment over the file over the defaults. @throws configInvalid, with `detail.path` */
export async function loadConfig({ environment, file }: ConfigSources): Promise<LoadedConfig> {
  const { values, warnings } = environmentSettings(environment);
  const named = file ?? environment.LAZARET_CONFIG;
  const path = named ?? (existsSync('lazaret.yaml') ? 'lazaret.yaml' : undefined);
  const fromFile = path === undefined ? new Map<string, Field>() : await fileSettings(path);
  const field = (key: SettingKey): Field => {
    const value = values.get(key);
    if (value !== undefined) return new Field(value, key, 'configInvalid');
    return fromFile.get(key) ?? new Field(settingOf(key).default, key, 'configInvalid');
  };
  return { config: configOf(field), warnings };
}

const regionPattern = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

function configOf(field: (key: SettingKey) => Field): Config {
  const region = regionName(field('region'));
  const peers = peersOf(field('peers'), region);
  const primary = primaryOf(field('primary'), [region, ...peers.map((peer) => peer.name)]) ?? region;
  const dataFolder = resolve(field('data').text());
  return {
    region,
    primary,
    dataFolder,
    listen: {
      host: field('listen.host').text(),
      port: portOf(field('listen.port')),
      tls: tlsOf(field),
      trustedProxies: addressesOf(field('listen.trustedProxies')),
    },
    http: { processes: processesOf(field), drainMs: durationOf(field('http.drain')) },
    url: addressOf(field('url')),
    database: databaseOf(field('database.url'), dataFolder),
    blobs: blobsOf(field, dataFolder),
    access: {
      anonymousPull: globsOf(field('access.anonymousPull')),
      requestsPerMinute: numberOf(field('access.requestsPerMinute'), { min: 0, max: 10_000_000 }),
    },
    push: { sparse: sparseOf(field('push.sparse')) },
    peers,
    replication: { repositories: globsOf(field('replication.repositories')) },
    collection: {
      graceMs: durationOf(field('collection.grace')),
      intervalMs: durationOf(field('collection.interval')),
    },
    retention: {
      packagesMs: durationOf(field('retention.packages')),
      harmfulMs: durationOf(field('retention.harmful')),
      intervalMs: durationOf(field('retention.interval')),
    },
    inspection: {
      workers: numberOf(field('inspection.workers'), { min: 1, max: 64 }),
      clamav: clamavOf(field),
    },
    advisories: { sources: feedsOf(field('advisories.sources')) },
    outbound: { private: addressesOf(field('outbound.private')) },
    log: { level: field('log.level').oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']) },
  };
}

function settingOf(key: SettingKey): Setting {
  const setting = settings.find((each) => each.key === key);
  if (!setting) throw new LazaretError('internal', `no setting ${key}`);
  return setting;
}

function regionName(field: Field): string {
  const name = field.text();
  if (regionPattern.test(name)) return name;
  throw field.error("must be 1 to 32 of a-z, 0-9 and '-', neither beginning nor ending with '-'");
}

/** A variable is always text, so a number may be written as one. */
function numberOf(field: Field, range: { readonly min: number; readonly max: number }): number {
  const { value } = field;
  const number = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isInteger(number) && number >= range.min && number <= range.max)
    return number;
  throw field.error(`must be an integer from ${range.min} to ${range.max}`);
}

/** Bytes in one process's memory are for no other. */
function processesOf(field: (key: SettingKey) => Field): number {
  const processes = numberOf(field('http.processes'), { min: 1, max: 64 });
  if (processes > 1 && field('blobs.kind').value === 'memory')
    throw field('http.processes').error('must be 1 where blobs are kept in memory');
  return processes;
}

function portOf(field: Field): number {
  return numberOf(field, { min: 0, max: 65_535 });
}

function durationOf(field: Field): number {
  try {
    return parseDuration(field.text(), field.path);
  } catch (cause) {
    if (!(cause instanceof LazaretError)) throw cause;
    throw new LazaretError('configInvalid', cause.message, { detail: { path: field.path }, cause });
  }
}

function tlsOf(field: (key: SettingKey) => Field): TlsFiles | null {
  const [cert, key] = [field('listen.tls.cert').string(), field('listen.tls.key').string()];
  if (cert === '' && key === '') return null;
  if (cert !== '' && key !== '') return { cert: resolve(cert), key: resolve(key) };
  throw field(cert === '' ? 'listen.tls.cert' : 'listen.tls.key').error(
    'certificate and key are given together',
  );
}

function addressesOf(field: Field): readonly string[] {
  const addresses = listOf(field);
  for (const address of addresses) {
    const [ip = '', bits, ...rest] = address.split('/');
    const bitsMax = isIP(ip) === 6 ? 128 : 32;
    const fits = bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax);
    if (isIP(ip) === 0 || !fits || rest.length > 0)
      throw field.error(`'${address}' is neither an address nor a range of them`);
  }
  return addresses;
}

/** A list, or, as in a variable, text with commas. */
function listOf(field: Field): readonly string[] {
  const { value } = field;
  if (typeof value !== 'string') return field.items(1000).map((item) => item.text());
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

function globsOf(field: Field): readonly string[] {
  const globs = listOf(field);
  for (const glob of globs) {
    try {
      globMatcher(glob);
    } catch (cause) {
      throw field.error(`'${glob}' is not a glob`, { cause });
    }
  }
  return globs;
}

function addressOf(field: Field): string | null {
  const text = field.string();
  if (text === '') return null;
  if (URL.canParse(text) && /^https?:/.test(text)) return new URL(text).origin;
  throw field.error("must begin with 'http://' or 'https://'");
}

function databaseOf(field: Field, dataFolder: string): DatabaseConfig {
  const url = field.string();
  if (url === '') return { kind: 'sqlite', file: join(dataFolder, 'metadata.sqlite') };
  if (/^postgres(ql)?:\/\//.test(url)) return { kind: 'postgres', url };
  const file = /^sqlite:\/\/(\/.+)$/.exec(url)?.[1];
  if (file !== undefined) return { kind: 'sqlite', file };
  throw field.error("must begin with 'postgres://' or 'sqlite:///'"); // the value may hold a password
}

/** Else this region would neither decide anything nor hear what is decided. @returns undefined if it is not set */
function primaryOf(field: Field, regions: readonly string[]): string | undefined {
  if (field.string() === '') return undefined;
  const primary = regionName(field);
  if (!regions.includes(primary))
    throw field.error(`'${primary}' is neither this region nor one of its peers`);
  return primary;
}

function peersOf(field: Field, region: string): readonly PeerConfig[] {
  const list = typeof field.value === 'string' ? jsonList(field) : field;
  const peers = list.items(100).map((item): PeerConfig => {
    item.keys(['name', 'url', 'secret', 'secretFile', 'caFile']);
    const caFile = item.optional('caFile');
    return {
      name: regionName(item.member('name')),
      url: peerUrl(item.member('url')),
      secret: peerSecret(item),
      ...(caFile ? { ca: readSecret(caFile.text(), caFile.path) } : {}),
    };
  });
  const names = [region, ...peers.map((peer) => peer.name)];
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw field.error(`region '${twice}' is named twice`);
  return peers;
}

function peerUrl(field: Field): string {
  const url = addressOf(field);
  if (url !== null) return url;
  throw field.error('must not be empty');
}

const secretLengthMin = 16;

function peerSecret(peer: Field): string {
  const file = peer.optional('secretFile');
  const secret = file ? readSecret(file.text(), file.path) : peer.member('secret').text();
  if (secret.length >= secretLengthMin) return secret;
  throw peer.error(`its secret must have at least ${secretLengthMin} characters`);
}
