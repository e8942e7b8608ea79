import { readFile } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type Client, call } from '../client/client.ts';
import { secretFingerprint } from '../contract/secrets.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { CliIo } from './io.ts';

/** What a question is put together from. */
export interface CriteriaOptions {
  readonly package?: string[];
  readonly advisory?: string[];
  readonly severity?: string;
  readonly fixed?: boolean;
  readonly malicious?: boolean;
  readonly exploited?: boolean;
  readonly file?: string[];
  readonly fileSha256?: string[];
  readonly secret?: string[];
  readonly secretStdin?: boolean;
  readonly malware?: boolean;
  readonly signature?: string;
  readonly configUser?: string;
  readonly configPort?: string;
  readonly configEnv?: string;
  readonly configLabel?: string;
  readonly license?: string[];
  readonly base?: string;
  readonly pushedBy?: string;
  readonly olderThan?: string;
  readonly any?: boolean;
  readonly criteria?: string;
}

const collected = (value: string, previous: string[] = []) => [...previous, value];

export function withCriteria(command: Command): Command {
  return command
    .option(
      '--package <purl>',
      "a package, with a version or a range after @; names may be globs: 'pkg:npm/@babel/*'",
      collected,
    )
    .option('--advisory <id>', 'an advisory or alias: GHSA-…, CVE-…', collected)
    .option('--severity <level>', 'an advisory of low, medium, high, critical or worse applies')
    .option('--fixed', 'with --advisory or --severity: only where a fix exists')
    .option(
      '--exploited',
      'an advisory that is known to be exploited applies; with --advisory or --severity: only such',
    )
    .option('--malicious', 'a package that is itself the harm: an advisory MAL-…')
    .option('--file <glob>', 'a file path: **/JndiLookup.class', collected)
    .option('--file-sha256 <hex>', 'a file with this content', collected)
    .option('--secret <kind>', "a secret: private-key, 'aws-*', or '*' for any kind", collected)
    .option('--secret-stdin', 'one very secret, read from standard input and kept nowhere')
    .option('--malware', 'a file that ClamAV knows')
    .option('--signature <glob>', "malware of these signatures: 'Unix.Trojan.*'")
    .option('--config-user <user>', 'runs as this user: root')
    .option('--config-port <port>', 'exposes this port: 22/tcp')
    .option('--config-env <name>', 'sets this variable')
    .option('--config-label <label>', 'has this label: name or name=value')
    .option('--license <licence>', 'a package under this licence: GPL-3.0-only', collected)
    .option('--base <digest>', 'is built on this image, or has this layer')
    .option('--pushed-by <glob>', "was pushed by one of these: 'ci-*'")
    .option('--older-than <duration>', 'was built longer ago: 90d')
    .option('--any', 'one of the criteria is enough (default: all of them)')
    .addOption(new Option('--criteria <file>', 'criteria as JSON; - for standard input'));
}

/** @throws invalid */
export async function criteriaOf(io: CliIo, client: Client, options: CriteriaOptions): Promise<unknown> {
  if (options.secretStdin && options.criteria === '-')
    throw new LazaretError('invalid', '--secret-stdin and --criteria - both read standard input');
  const only = {
    ...(options.fixed ? { fixed: true } : {}),
    ...(options.exploited ? { exploited: true } : {}),
  };
  const isNamed = options.advisory !== undefined || options.severity !== undefined;
  const parts: unknown[] = [
    ...(options.package ?? []).map(packageCriteria),
    ...(options.advisory ?? []).map((id) => ({ advisory: { id, ...only } })),
    ...(options.severity === undefined ? [] : [{ advisory: { severity: options.severity, ...only } }]),
    ...(options.exploited && !isNamed ? [{ advisory: only }] : []),
    ...(options.malicious ? [{ advisory: { malicious: true } }] : []),
    ...(options.file ?? []).map((path) => ({ file: { path } })),
    ...(options.fileSha256 ?? []).map((sha256) => ({ file: { sha256 } })),
    ...(options.license ?? []).map((license) => ({ license })),
    ...(options.secret ?? []).map((kind) => ({ secret: { kind } })),
    ...malwareAsked(options).map((signature) => ({ malware: { signature } })),
    ...wholeImage('config', configAsked(options)),
    ...wholeImage('image', imageAsked(options)),
  ];
  if (options.secretStdin) parts.push(await secretCriteria(io, client));
  if (options.criteria !== undefined) parts.push(await criteriaFile(io, options.criteria));
  // What everybody asks first: does anything known apply?
  if (parts.length === 0) return { advisory: {} };
  if (parts.length === 1) return parts[0];
  return options.any ? { any: parts } : { all: parts };
}

function malwareAsked({ malware, signature }: CriteriaOptions): readonly string[] {
  return malware || signature !== undefined ? [signature ?? '*'] : [];
}

function wholeImage(kind: 'config' | 'image', asked: object): unknown[] {
  return Object.keys(asked).length === 0 ? [] : [{ [kind]: asked }];
}

function configAsked({ configUser, configPort, configEnv, configLabel }: CriteriaOptions) {
  const [name, ...value] = configLabel?.split('=') ?? [];
  return {
    ...(configUser === undefined ? {} : { user: configUser }),
    ...(configPort === undefined ? {} : { port: configPort }),
    ...(configEnv === undefined ? {} : { env: configEnv }),
    ...(name === undefined
      ? {}
      : { label: { name, ...(value.length > 0 ? { value: value.join('=') } : {}) } }),
  };
}

function imageAsked({ base, pushedBy, olderThan }: CriteriaOptions) {
  return {
    ...(base === undefined ? {} : { base }),
    ...(pushedBy === undefined ? {} : { pushedBy }),
    ...(olderThan === undefined ? {} : { olderThan }),
  };
}

/** `pkg:npm/lodash@<4.17.21`: what follows the last @ is a version, or with an operator a range. */
export function packageCriteria(text: string): unknown {
  const at = text.lastIndexOf('@');
  const version = at > text.indexOf('/') + 1 ? text.slice(at + 1) : undefined;
  const isRange = version !== undefined && /^(?:[<>=!*]|vers:)/.test(version);
  const name = isRange ? text.slice(0, at) : text;
  const versions = isRange ? { versions: version } : {};
  const glob = /^pkg:([a-z][a-z0-9.+-]*)\/(.*[*?{].*)$/.exec(name);
  if (glob === null) return { package: { purl: name, ...versions } };
  return { package: { type: glob[1], name: nameGlob(glob[1] ?? '', glob[2] ?? ''), ...versions } };
}

/** As advisories write names: of a distribution's package without the distribution, of Maven's with a colon. */
function nameGlob(type: string, path: string): string {
  if (['deb', 'apk', 'rpm'].includes(type)) return path.slice(path.indexOf('/') + 1);
  return type === 'maven' ? path.replace('/', ':') : path;
}

/** The value goes to the server in the body of a request; what is searched for, and kept, is its fingerprint. */
async function secretCriteria(io: CliIo, client: Client): Promise<unknown> {
  const bytes = Buffer.concat(await io.stdin.toArray());
  if (bytes.length === 0 || bytes.length > limits.secretValueBytesMax)
    throw new LazaretError(
      'invalid',
      `standard input has ${bytes.length} bytes; a secret has 1 to ${limits.secretValueBytesMax}`,
    );
  const body = { value: bytes.toString('base64') };
  const { fingerprints } = await call(client, secretFingerprint, { body }, { signal: io.signal });
  return { any: fingerprints.map((fingerprint) => ({ secret: { fingerprint } })) };
}

async function criteriaFile(io: CliIo, file: string): Promise<unknown> {
  const text = file === '-' ? Buffer.concat(await io.stdin.toArray()).toString() : await textOf(file);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LazaretError('invalid', `${file === '-' ? 'standard input' : file} is not JSON`, { cause });
  }
}

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new LazaretError('invalid', `the criteria in ${file} can't be read`, { cause });
  }
}
