import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Runtime } from '../agent/runtimes/runtime.ts';
import { type CliIo, serverUrl, trustOf } from '../cli/io.ts';
import type { Client } from '../client/client.ts';
import { systemClock } from '../lib/clock.ts';
import { LazaretError } from '../lib/errors.ts';

interface AgentCommandOptions {
  readonly region: string;
  readonly name: string;
  readonly secretFile: string;
  readonly ca?: string;
  readonly data: string;
  readonly runtime: string;
  readonly runc: string;
  readonly umoci: string;
}

export function register(program: Command, io: CliIo): void {
  program
    .command('agent')
    .description('Run the agent of an instance: it starts and stops containers as its region says')
    .requiredOption('--region <url>', 'the server of the region that the instance belongs to')
    .option('--name <name>', 'the instance, as it was registered', hostname())
    .requiredOption('--secret-file <file>', 'the secret that lazaret instance add gave out')
    .option('--ca <file>', "whose certificates are trusted, PEM (default: $LAZARET_CA or the system's)")
    .option('--data <folder>', 'where it keeps its state and unpacked images', 'lazaret-agent')
    .option('--runtime <kind>', 'runc, or fake (runs nothing)', 'runc')
    .option('--runc <path>', 'the program runc', 'runc')
    .option('--umoci <path>', 'the program umoci', 'umoci')
    .addHelpText(
      'after',
      '\nExample:\n  $ lazaret agent --region http://localhost:5001 --name host-1 --secret-file host-1.secret',
    )
    .action((options: AgentCommandOptions) => run(io, options));
}

/** Until the process is asked to end; containers go on running. */
async function run(io: CliIo, options: AgentCommandOptions): Promise<void> {
  const dataFolder = resolve(options.data);
  await mkdir(dataFolder, { recursive: true, mode: 0o700 });
  const runtime = await openChosenRuntime(options, dataFolder);
  const password = await readSecret(options.secretFile);
  const credentials = { kind: 'basic', username: `instance/${options.name}`, password } as const;
  const client: Client = { url: serverUrl(options.region), credentials, ...(await trustOf(io, options)) };
  const { startAgent } = await import('../agent/agent.ts');
  const { readBootId } = await import('../agent/boot-id.ts');
  const { imagePuller } = await import('../agent/image-pull.ts');
  const { regionLink } = await import('../agent/region-link.ts');
  const agent = await startAgent({
    clock: systemClock,
    bootId: await readBootId(),
    runtime,
    dataFolder,
    pullImage: imagePuller(client),
    link: regionLink(client),
    log: io.out,
  });
  io.note(`agent of ${options.name} · region ${client.url} · runtime ${runtime.name} · data ${options.data}`);
  await aborted(io.signal);
  await agent.stop();
}

async function openChosenRuntime(options: AgentCommandOptions, dataFolder: string): Promise<Runtime> {
  const { openRuntime } = await import('../agent/runtimes/drivers.ts');
  const { runtime, runc, umoci } = options;
  switch (runtime) {
    case 'runc':
      return openRuntime(
        { kind: runtime, folder: join(dataFolder, 'runc'), tools: { runc, umoci } },
        systemClock,
      );
    case 'fake':
      return openRuntime({ kind: runtime }, systemClock);
    default:
      throw new LazaretError('unsupported', `there is no runtime '${runtime}' yet; take runc or fake`, {
        detail: { path: 'runtime' },
      });
  }
}

async function readSecret(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new LazaretError('invalid', `the secret file ${file} can't be read`, { cause });
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolveAborted) => {
    if (signal.aborted) resolveAborted();
    else signal.addEventListener('abort', () => resolveAborted(), { once: true });
  });
}
