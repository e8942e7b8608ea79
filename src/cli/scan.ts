import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { type Client, call } from '../client/client.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { scanCreate } from '../contract/scans.ts';
import { secretFingerprint } from '../contract/secrets.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand, style } from './output.ts';
import { planMade, reachAsked } from './quarantine-plan.ts';
import { countText, digestText } from './words.ts';

type ScanAnswer = RouteAnswer<typeof scanCreate>;

interface ScanOptions {
  readonly server?: string;
  readonly output: OutputFormat;
  readonly all?: boolean;
  readonly repositories?: string;
  readonly package?: string[];
  readonly advisory?: string[];
  readonly severity?: string;
  readonly fixed?: boolean;
  readonly file?: string[];
  readonly fileSha256?: string[];
  readonly secret?: string[];
  readonly secretStdin?: boolean;
  readonly configUser?: string;
  readonly configPort?: string;
  readonly configEnv?: string;
  readonly configLabel?: string;
  readonly license?: string[];
  readonly any?: boolean;
  readonly criteria?: string;
  readonly effect?: string;
  readonly reach?: string;
}

const collected = (value: string, previous: string[] = []) => [...previous, value];

export function register(program: Command, io: CliIo): void {
  const command = serverCommand(
    'scan',
    'Find images by what is in them: a search of the metadata, the layers are not read',
    "lazaret scan --all --package 'pkg:npm/lodash@<4.17.21'",
  )
    .argument('[reference]', 'one image: acme/shop:1 or acme/shop@sha256:…')
    .option('--all', 'every image that you may see')
    .option('--repositories <glob>', "the images of these repositories: 'acme/**'")
    .option('--package <purl>', 'a package, with a version or a range after @', collected)
    .option('--advisory <id>', 'an advisory or alias: GHSA-…, CVE-…', collected)
    .option('--severity <level>', 'an advisory of low, medium, high, critical or worse applies')
    .option('--fixed', 'with --advisory or --severity: only where a fix exists')
    .option('--file <glob>', 'a file path: **/JndiLookup.class', collected)
    .option('--file-sha256 <hex>', 'a file with this content', collected)
    .option('--secret <kind>', "a secret: private-key, 'aws-*', or '*' for any kind", collected)
    .option('--secret-stdin', 'one very secret, read from standard input and kept nowhere')
    .option('--config-user <user>', 'runs as this user: root')
    .option('--config-port <port>', 'exposes this port: 22/tcp')
    .option('--config-env <name>', 'sets this variable')
    .option('--config-label <label>', 'has this label: name or name=value')
    .option('--license <licence>', 'a package under this licence: GPL-3.0-only', collected)
    .option('--any', 'one of the criteria is enough (default: all of them)')
    .option('--criteria <file>', 'criteria as JSON; - for standard input')
    .option('--effect <effect>', 'quarantine: make a plan of the answer')
    .option('--reach <reach>', 'with --effect: layer or image')
    .action((reference: string | undefined, options: ScanOptions) => run(io, reference, options));
  program.addCommand(command);
}

async function run(io: CliIo, reference: string | undefined, options: ScanOptions): Promise<void> {
  const scope = scopeOf(reference, options);
  if (options.secretStdin && options.criteria === '-')
    throw new LazaretError('invalid', '--secret-stdin and --criteria - both read standard input');
  if (options.effect !== undefined && options.effect !== 'quarantine')
    throw new LazaretError('invalid', `--effect '${options.effect}': the effect there is is quarantine`);
  const client = await clientOf(io, options);
  const criteria = await criteriaOf(io, client, options);
  const answer = await call(client, scanCreate, { body: { criteria, scope } }, { signal: io.signal });
  if (options.effect === 'quarantine' && answer.counts.match > 0) {
    await planMade(io, client, {
      output: options.output,
      body: { scan: answer.name, ...reachAsked(options.reach) },
    });
  } else {
    await print(io, options.output, answer, () => answerText(answer, io.terminal));
  }
  if (answer.counts.match > 0) io.exit(2);
  else if (answer.counts.unknown > 0 || answer.covers.truncated) io.exit(3);
}

function scopeOf(reference: string | undefined, options: ScanOptions) {
  if (reference !== undefined) return { image: reference };
  if (options.repositories !== undefined) return { repositories: options.repositories };
  if (options.all) return {};
  throw new LazaretError('invalid', 'say what to scan: a reference, --repositories GLOB or --all');
}

async function criteriaOf(io: CliIo, client: Client, options: ScanOptions): Promise<unknown> {
  const parts: unknown[] = [
    ...(options.package ?? []).map(packageCriteria),
    ...(options.advisory ?? []).map((id) => ({ advisory: { id, ...fixedOf(options) } })),
    ...(options.severity === undefined
      ? []
      : [{ advisory: { severity: options.severity, ...fixedOf(options) } }]),
    ...(options.file ?? []).map((path) => ({ file: { path } })),
    ...(options.fileSha256 ?? []).map((sha256) => ({ file: { sha256 } })),
    ...(options.license ?? []).map((license) => ({ license })),
    ...(options.secret ?? []).map((kind) => ({ secret: { kind } })),
  ];
  const config = configAsked(options);
  if (Object.keys(config).length > 0) parts.push({ config });
  if (options.secretStdin) parts.push(await secretCriteria(io, client));
  if (options.criteria !== undefined) parts.push(await criteriaFile(io, options.criteria));
  // What everybody asks first: does anything known apply?
  if (parts.length === 0) return { advisory: { severity: 'low' } };
  if (parts.length === 1) return parts[0];
  return options.any ? { any: parts } : { all: parts };
}

function configAsked({ configUser, configPort, configEnv, configLabel }: ScanOptions) {
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

function fixedOf(options: ScanOptions): { fixed?: boolean } {
  return options.fixed ? { fixed: true } : {};
}

/** `pkg:npm/lodash@<4.17.21`: what follows the last @ is a version, or with an operator a range. */
function packageCriteria(text: string): unknown {
  const at = text.lastIndexOf('@');
  const version = at > text.indexOf('/') ? text.slice(at + 1) : undefined;
  if (version === undefined || !/^[<>=!*]/.test(version)) return { package: { purl: text } };
  return { package: { purl: text.slice(0, at), versions: version } };
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
  const text =
    file === '-' ? Buffer.concat(await io.stdin.toArray()).toString() : await readFile(file, 'utf8');
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LazaretError('invalid', `${file} is not JSON`, { cause });
  }
}

const shownMax = 20;

function answerText(answer: ScanAnswer, styled: boolean): string {
  const { counts, covers } = answer;
  const head = `${answer.name}  ${counts.match} of ${covers.images} images match: ${answer.question}`;
  const tail = `${countText(counts.tags, 'tag')} · ${countText(counts.containers, 'container')} running · ${countText(counts.regions, 'region')} · ${counts.unknown} unknown · ${(answer.tookMs / 1000).toFixed(3)} s`;
  const lines = answer.images.slice(0, shownMax).flatMap((image) => imageLines(image, styled));
  const more =
    answer.images.length > shownMax ? [`… and ${answer.images.length - shownMax} more (-o json)`] : [];
  return [
    style(counts.match > 0 ? 'red' : 'green', head, styled),
    ...lines,
    ...more,
    tail,
    feedLine(answer),
  ].join('\n');
}

function imageLines(image: ScanAnswer['images'][number], styled: boolean): string[] {
  const tags = image.above.tags.map((tag) => tag.tag).join(', ') || 'untagged';
  const head = `  ${image.repository}:${tags}  ${digestText(image.digest)}`;
  if (image.verdict === 'unknown') return [`${head}  ${style('yellow', `unknown: ${image.reason}`, styled)}`];
  const evidence = image.evidence.slice(0, 5).map((found) => `      ${evidenceText(found)}`);
  const more = image.evidence.length > 5 ? [`      … and ${image.evidence.length - 5} more`] : [];
  const running = image.above.containers.map(
    (container) => `      runs: ${container.deployment} on ${container.instance} in ${container.region}`,
  );
  return [head, ...evidence, ...more, ...running];
}

type Found = ScanAnswer['images'][number]['evidence'][number];

function evidenceText(found: Found): string {
  const what = [found.purl, found.secret, found.advisory, found.severity].filter(Boolean).join('  ');
  const fix = found.fixedVersion === null ? '' : `  fixed in ${found.fixedVersion}`;
  const line = found.line === undefined ? '' : `:${found.line}`;
  const where = found.layer === null ? 'config' : `layer ${found.layer.slice(7, 19)}`;
  return `${what}${fix}  ${found.path ?? ''}${line} (${where})`;
}

function feedLine(answer: ScanAnswer): string {
  const sources = answer.covers.advisorySources;
  if (sources.length === 0) return 'advisories: none loaded; load some with: lazaret advisory import FILE';
  const total = sources.reduce((sum, source) => sum + source.documents, 0);
  return `advisories: ${sources.map((source) => source.source).join(', ')} (${total} documents)`;
}
