/**
 * A real clamd for tests, with one signature: of EICAR's test file, by its hash. It is the machine's, or Debian's package
 * unpacked into `.tools`, and listens on a socket in a temporary folder. A shell beside it ends it when the pipe to the shell
 * closes, in whatever way its holder ended.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { debianTools } from '../../scripts/debian-tools.ts';

/** Put together here, so that this file is not what it is about. */
export const eicar = [
  String.raw`X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR`,
  'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*',
].join('-');
/** As clamd calls what is of somebody's own database. */
export const eicarSignature = 'Lazaret.Test.Eicar.UNOFFICIAL';

export interface Clamd {
  readonly socket: string;
  /** As inspections are told of it; what is longer is not sent. */
  readonly config: { readonly socket: string; readonly streamBytesMax: number };
  /** It is away, and may come back. */
  stop(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface ClamdLimits {
  readonly streamBytesMax?: number;
  readonly fileBytesMax?: number;
}

/** With the program as $0. */
const untilClosed = '"$0" -c "$1" & read -r line; kill $!; wait $!';
const startTries = 400;
const startLookMs = 25;

export async function startClamd({
  streamBytesMax = 1_048_576,
  fileBytesMax = 1_048_576,
}: ClamdLimits = {}): Promise<Clamd> {
  const program = join(await debianTools(['clamd']), 'clamd');
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-clamd-'));
  const socket = join(folder, 'clamd.sock');
  await mkdir(join(folder, 'signatures'));
  const md5 = createHash('md5').update(eicar).digest('hex');
  await writeFile(join(folder, 'signatures/test.hdb'), `${md5}:${eicar.length}:Lazaret.Test.Eicar\n`);
  const settings = [
    'Foreground yes',
    `LocalSocket ${socket}`,
    `DatabaseDirectory ${join(folder, 'signatures')}`,
    `TemporaryDirectory ${folder}`,
    `StreamMaxLength ${streamBytesMax}`,
    `MaxFileSize ${fileBytesMax}`,
    'AlertExceedsMax yes',
  ];
  await writeFile(join(folder, 'clamd.conf'), `${settings.join('\n')}\n`);
  let end: (() => Promise<void>) | undefined;
  const start = async () => {
    const beside = ['-c', untilClosed, program, join(folder, 'clamd.conf')];
    const running = spawn('/bin/sh', beside, { stdio: ['pipe', 'ignore', 'ignore'] });
    const ended = once(running, 'exit');
    end = async () => {
      running.stdin.end();
      await ended;
    };
    await listening(socket, () => running.exitCode);
  };
  const stop = async () => {
    await end?.();
    end = undefined;
  };
  await start();
  return {
    socket,
    config: { socket, streamBytesMax },
    start,
    stop,
    close: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function listening(socket: string, exitCode: () => number | null): Promise<void> {
  for (let tries = 0; tries < startTries; tries++) {
    if (exitCode() !== null) throw new Error(`clamd ended with ${exitCode()}`);
    if (await connects(socket)) return;
    await delay(startLookMs);
  }
  throw new Error('clamd does not listen');
}

function connects(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
