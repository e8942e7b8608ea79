/** What a client of registries must be able to do here, and what all of them are told. */
import { type ChildProcess, execFile } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Contents } from '../contents.ts';

/** One client, logged in, with folders of its own. Images are named without the registry: `acme/shop:1`. */
export interface ContainerTool {
  /** Takes an image or index as its own, and pushes it. A client that can't push an index whole makes one of its platforms. */
  push(contents: Contents, image: string): Promise<void>;
  /** With nothing of the image left at the client. @returns the digests that it names it by */
  pull(image: string): Promise<string>;
  /** From one repository to another. */
  copy(from: string, to: string): Promise<void>;
  /** The tags of a repository; clients without such a command leave it out. */
  readonly list?: (repository: string) => Promise<readonly string[]>;
  readonly remove?: (image: string) => Promise<void>;
  close(): Promise<void>;
}

/** Where a client works, and as whom. */
export interface Site {
  readonly port: number;
  /** What the server's certificate is signed by; undefined: the client is not told. */
  readonly caFile: string | undefined;
  readonly username: string;
  readonly password: string;
  /** The client's own; empty, and short, since podman takes a run folder of at most 50 characters. */
  readonly folder: string;
}

export interface ToolKind {
  readonly name: string;
  /** What it is made of, besides skopeo, which is brought along. */
  readonly programs: readonly string[];
  /** What it can push, and can pull, of what there is. */
  readonly pushes: readonly Contents['kind'][];
  readonly pulls: readonly Contents['kind'][];
  /** Whether what it pushes keeps its digest; else it compresses layers anew, or makes its own index. */
  readonly keepsDigests: boolean;
  readonly open: (site: Site) => Promise<ContainerTool>;
}

const outputBytesMax = 1 << 24;
export const execute = promisify(execFile);

/** Runs it to its end. @throws with `stderr` if it fails */
export function run(program: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
  return execute(program, [...argv], { maxBuffer: outputBytesMax, env: { ...process.env, ...env } });
}

/** The same, with a text on its standard input. */
export async function runWithInput(program: string, argv: readonly string[], input: string): Promise<void> {
  const running = execute(program, [...argv], { maxBuffer: outputBytesMax });
  running.child.stdin?.on('error', () => {}); // it ended first, and says why
  running.child.stdin?.end(input);
  await running;
}

/** A folder as docker and podman want it: with the authority as `ca.crt`, if the client is told of it. */
export async function certificateFolder(folder: string, caFile: string | undefined): Promise<string> {
  await mkdir(folder, { recursive: true });
  if (caFile !== undefined) await copyFile(caFile, join(folder, 'ca.crt'));
  return folder;
}

/** Asks until the daemon answers; its end is an error. */
export async function answering(daemon: ChildProcess, ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    if (daemon.exitCode !== null) throw new Error(`the daemon ended with ${daemon.exitCode}`);
    const answered = await ask().then(
      () => true,
      () => false,
    );
    if (answered) return;
    await delay(100);
  }
}

export async function ended(daemon: ChildProcess): Promise<void> {
  if (daemon.exitCode !== null || daemon.signalCode !== null) return;
  const exit = once(daemon, 'exit');
  daemon.kill('SIGTERM');
  await exit;
}
