import { readFile } from 'node:fs/promises';
import { Command, Option } from 'commander';
import { call } from '../client/client.ts';
import {
  deploymentCreate,
  deploymentDelete,
  deploymentList,
  deploymentRestore,
  deploymentShow,
  deploymentStart,
  deploymentStop,
} from '../contract/deployments.ts';
import type { Deployment } from '../contract/fleet.ts';
import { formatDuration, parseDuration } from '../lib/duration.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { deploymentText } from './deployment-text.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { shortText } from './words.ts';

interface Options extends ServerOptions, OutputOptions {
  readonly owner?: string;
}

export function register(program: Command, io: CliIo): void {
  const deploy = new Command('deploy').description('Run images on instances, in any region');
  deploy.addCommand(createCommand(io));
  deploy.addCommand(
    serverCommand('ls', 'List the deployments', 'lazaret deploy ls').action((options: Options) =>
      list(io, options),
    ),
  );
  deploy.addCommand(
    named(
      'show',
      'One deployment, its containers, what ends it and what has',
      'lazaret deploy show shop',
    ).action((name: string, options: Options) => show(io, name, options)),
  );
  deploy.addCommand(
    named('start', 'Start a stopped deployment', 'lazaret deploy start shop').action(
      async (name: string, options: Options) =>
        said(io, options, await call(await clientOf(io, options), deploymentStart, target(name, options))),
    ),
  );
  deploy.addCommand(
    named('stop', 'Stop a deployment', 'lazaret deploy stop shop --reason "maintenance"')
      .option('--reason <text>', 'why')
      .action(async (name: string, options: Options & { reason?: string }) => {
        const body = options.reason === undefined ? {} : { reason: options.reason };
        const input = { ...target(name, options), body };
        await said(io, options, await call(await clientOf(io, options), deploymentStop, input));
      }),
  );
  deploy.addCommand(
    named(
      'restore',
      'Lift the revocations of a deployment, accept their evidence, and start it',
      'lazaret deploy restore shop --reason "not reachable in our use"',
    )
      .requiredOption('--reason <text>', 'why the evidence is accepted')
      .action(async (name: string, options: Options & { reason: string }) => {
        const input = { ...target(name, options), body: { reason: options.reason } };
        await said(io, options, await call(await clientOf(io, options), deploymentRestore, input));
      }),
  );
  deploy.addCommand(
    named('rm', 'End a deployment for good', 'lazaret deploy rm shop').action(
      async (name: string, options: Options) =>
        said(io, options, await call(await clientOf(io, options), deploymentDelete, target(name, options))),
    ),
  );
  program.addCommand(deploy);
}

interface CreateOptions extends Options {
  readonly name: string;
  readonly on: string;
  readonly account: string;
  readonly env: readonly string[];
  readonly eventCriteria?: string;
  readonly stopDeadline?: string;
  readonly lease?: string;
  readonly onLeaseEnd?: 'stop' | 'pause' | 'keep';
  readonly platform?: string;
}

function createCommand(io: CliIo): Command {
  return serverCommand(
    'create',
    'Run an image on an instance',
    'lazaret deploy create acme/shop:1 --name shop --on away/host-1 --account globex --env PORT=8080',
  )
    .argument('<image>', 'acme/shop:1 or acme/shop@sha256:…; a tag is resolved now')
    .requiredOption('--name <name>', 'unique for the image’s owner')
    .requiredOption('--on <region/instance>', 'where')
    .requiredOption('--account <account>', 'the account that the instance belongs to')
    .option('--env <name=value>', 'again for each variable', collected, [])
    .option('--event-criteria <file>', 'JSON; added to what came with the image')
    .option('--stop-deadline <duration>', 'from TERM to KILL: 10s')
    .addOption(
      new Option('--lease [duration]', 'end it when home was not heard for so long; at least 30s').preset(
        formatDuration(limits.leaseDefaultMs),
      ),
    )
    .addOption(
      new Option('--on-lease-end <what>', 'what its end does, where a lease is chosen').choices([
        'stop',
        'pause',
        'keep',
      ]),
    )
    .option('--platform <os/arch>', 'which image of an index: linux/amd64')
    .action((image: string, options: CreateOptions) => create(io, image, options));
}

function named(verb: string, summary: string, example: string): Command {
  return serverCommand(verb, summary, example)
    .argument('<name>', 'the deployment')
    .option('--owner <account>', 'the image’s owner, where several have one of that name');
}

function collected(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

async function create(io: CliIo, reference: string, options: CreateOptions): Promise<void> {
  const [region = '', instance = ''] = options.on.split('/');
  const { name, account, eventCriteria, stopDeadline, lease, onLeaseEnd, platform } = options;
  const body = {
    ...{ name, account, reference, region, instance, env: environment(options.env) },
    ...(eventCriteria === undefined ? {} : { eventCriteria: await readJson(eventCriteria) }),
    ...(stopDeadline === undefined ? {} : { stopDeadlineMs: parseDuration(stopDeadline, '--stop-deadline') }),
    ...(lease === undefined ? {} : { leaseMs: parseDuration(lease, '--lease') }),
    ...(onLeaseEnd === undefined ? {} : { onLeaseEnd }),
    ...(platform === undefined ? {} : { platform }),
  };
  const client = await clientOf(io, options);
  await said(io, options, await call(client, deploymentCreate, { body }, { signal: io.signal }));
}

function environment(pairs: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    pairs.map((pair) => {
      const equals = pair.indexOf('=');
      if (equals < 1) throw new LazaretError('invalid', `--env: '${pair}' is not NAME=VALUE`);
      return [pair.slice(0, equals), pair.slice(equals + 1)];
    }),
  );
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new LazaretError('invalid', `${file} can't be read as JSON`, { cause });
  }
}

async function list(io: CliIo, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const { deployments } = await call(client, deploymentList, {}, { signal: io.signal });
  await print(io, options.output, deployments, () => ({
    columns: ['name', 'image', 'for', 'where', 'should', 'why'],
    rows: deployments.map((one) => [
      shortText(one.name, 14),
      shortText(one.reference, 22),
      shortText(one.account, 10),
      shortText(`${one.region}/${one.instance}`, 17),
      one.desired === 'running' ? 'run' : 'stop',
      one.desiredReason === null ? null : shortText(one.desiredReason, 20),
    ]),
  }));
}

async function show(io: CliIo, name: string, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const view = await call(client, deploymentShow, target(name, options), { signal: io.signal });
  await print(io, options.output, view, () => deploymentText(view));
}

function target(name: string, { owner }: Options) {
  return { params: { name }, query: owner === undefined ? {} : { owner } };
}

async function said(io: CliIo, options: Options, deployment: Deployment): Promise<void> {
  const { name, region, instance, desired, desiredReason } = deployment;
  const why = desiredReason === null ? '' : `: ${desiredReason}`;
  const verb = desired === 'running' ? 'should run' : desired === 'stopped' ? 'should stop' : 'is removed';
  await print(io, options.output, deployment, () => `${name} ${verb} on ${region}/${instance}${why}`);
}
