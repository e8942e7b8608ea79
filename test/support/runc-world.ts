/** The runtime runc for tests: real containers of busybox that tell the test when they are ready. */
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { debianTools } from '../../scripts/debian-tools.ts';
import { removeTree } from '../../src/agent/runtimes/container-folder.ts';
import { openRuncRuntime } from '../../src/agent/runtimes/runc.ts';
import { checkRunc, type RuncTools } from '../../src/agent/runtimes/runc-check.ts';
import type { ImageSource, Runtime } from '../../src/agent/runtimes/runtime.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { busyboxLayer } from './busybox.ts';
import { buildImage, type Image, type ImageParts, type Layer, writeLayout } from './oci-layout.ts';
import type { App, RuntimeWorld } from './runtime-contract.ts';

/** Each app tells the test over the host's network that it handles signals now, and what it sees of itself. */
const report = 'echo "$(hostname) $GREETING $(id -u) $SELF" | nc 127.0.0.1 $REPORT_PORT';
export const scripts: Readonly<Record<App, string>> = {
  obedient: `trap 'echo ended; exit 0' TERM; ${report}; while :; do sleep 60 & wait $!; done`,
  stubborn: `trap '' TERM; ${report}; while :; do sleep 60; done`,
  brief: `echo I give up; exit 3`,
};

let parts: RuncParts | undefined;

export interface RuncParts {
  readonly tools: RuncTools;
  /** A shell and a few programs. */
  readonly base: Layer;
}

/** Before all tests of a file. @throws what this machine lacks */
export async function runcParts(): Promise<RuncParts> {
  const bin = await debianTools(['runc', 'umoci']);
  const tools = { runc: join(bin, 'runc'), umoci: join(bin, 'umoci') };
  const missing = await checkRunc(tools);
  if (missing !== undefined) throw new Error(missing);
  parts = { tools, base: await busyboxLayer() };
  return parts;
}

function ready(): RuncParts {
  if (parts === undefined) throw new Error('call runcParts first');
  return parts;
}

export interface RuncWorld extends RuntimeWorld {
  readonly folder: string;
  write(name: string, image: Image): Promise<ImageSource>;
  /** The line that the app started last reported. */
  reported(): Promise<string>;
}

/** A runtime with its state in a temporary folder; `close` ends and removes all. */
export async function runcWorld(): Promise<RuncWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-runc-'));
  const reports = await listenForReports();
  const open = () =>
    openRuncRuntime({ folder: join(folder, 'state'), tools: ready().tools, clock: systemClock });
  const runtime = await open();
  const write = async (name: string, image: Image) => {
    await writeLayout(join(folder, name), image);
    return { layoutFolder: join(folder, name), manifest: image.manifest.digest };
  };
  return {
    folder,
    runtime,
    write,
    reopen: open,
    image: (app) => write(app, shellImage(scripts[app])),
    spec: () => ({ env: { REPORT_PORT: String(reports.port), GREETING: 'ahoy' }, hostname: 'island' }),
    ready: async () => void (await reports.next()),
    reported: reports.next,
    elapse: () => {},
    close: async () => {
      await endAll(runtime);
      reports.server.close();
      await removeTree(folder);
    },
  };
}

/** An image whose shell runs the script. */
export function shellImage(
  script: string,
  config: ImageParts['config'] = {},
  layers: readonly Layer[] = [],
): Image {
  const env = ['PATH=/bin', 'GREETING=unheard', 'SELF=image'];
  return buildImage({
    layers: [ready().base, ...layers],
    config: { Cmd: ['/bin/sh', '-c', script], Env: env, ...config },
  });
}

async function listenForReports(): Promise<{ server: Server; port: number; next: () => Promise<string> }> {
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  const server = createServer(async (socket) => {
    const line = (await text(socket)).trim();
    const resolve = waiting.shift();
    if (resolve) resolve(line);
    else lines.push(line);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const next = async () =>
    lines.shift() ?? (await new Promise<string>((resolve) => void waiting.push(resolve)));
  return { server, port: address.port, next };
}

async function endAll(runtime: Runtime): Promise<void> {
  for (const { id } of await runtime.list()) {
    await runtime.stop(id, 0);
    await runtime.remove(id);
  }
}

/** A keeper and its runc name the state folder among their arguments. */
export async function processesNaming(folder: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(
    pids.map(async (pid) => {
      const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return command.includes(folder) ? [Number(pid)] : [];
    }),
  );
  return found.flat();
}
