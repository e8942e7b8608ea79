import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import { commands } from '../../src/cli/commands.ts';
import type { CliIo, ExitCode } from '../../src/cli/io.ts';
import { worseExit } from '../../src/cli/io.ts';
import type { Client } from '../../src/client/client.ts';

/**
 * What `lazaret …` prints, and what it would exit with, in this process, logged in as `client`.
 * @throws what the command throws
 */
export function lazaret(client: Client, ...argv: string[]): Promise<{ text: string; code: ExitCode }> {
  return lazaretRead(client, '', ...argv);
}

/** The same, with `input` on its standard input. */
export async function lazaretRead(
  client: Client,
  input: string,
  ...argv: string[]
): Promise<{ text: string; code: ExitCode }> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-cli-'));
  try {
    const { credentials } = client;
    const pair = credentials?.kind === 'basic' ? `${credentials.username}:${credentials.password}` : '';
    const auths = { [new URL(client.url).host]: { auth: Buffer.from(pair).toString('base64') } };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths }));
    return await runCommand({ folder, url: client.url, input, argv });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function runCommand(ask: { folder: string; url: string; input: string; argv: string[] }) {
  const lines: string[] = [];
  let code: ExitCode = 0;
  const io: CliIo = {
    env: { DOCKER_CONFIG: ask.folder, LAZARET_SERVER: ask.url },
    homeFolder: ask.folder,
    stdin: Readable.from(ask.input === '' ? [] : [Buffer.from(ask.input)]),
    terminal: false,
    signal: new AbortController().signal,
    out: (line) => void lines.push(line),
    note: (line) => void lines.push(line),
    exit: (given) => {
      code = worseExit(code, given);
    },
  };
  const program = new Command('lazaret').exitOverride();
  const named = commands.find((command) => command.name === ask.argv[0]);
  (await named?.load())?.register(program, io);
  await program.parseAsync(ask.argv, { from: 'user' });
  return { text: lines.join('\n'), code };
}
