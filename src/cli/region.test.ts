import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Command } from 'commander';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../../test/support/server.ts';
import type { CliIo, ExitCode } from './io.ts';
import { register } from './region.ts';

let server: TestServer;
beforeAll(async () => {
  const peers = [{ name: 'away', url: 'http://away.invalid', secret: 'both-know-this-secret' }];
  server = await startTestServer({
    environment: { LAZARET_REGION: 'home', LAZARET_PEERS: JSON.stringify(peers) },
  });
});
afterAll(() => server.close());

it('region ls shows how far each region is followed, and exits 3 when one is out of reach', async () => {
  const { credentials } = server.admin;
  const pair = credentials?.kind === 'basic' ? `${credentials.username}:${credentials.password}` : '';
  const auths = { [new URL(server.url).host]: { auth: Buffer.from(pair).toString('base64') } };
  await writeFile(join(server.dataFolder, 'config.json'), JSON.stringify({ auths }));
  const lines: string[] = [];
  const exits: ExitCode[] = [];
  const io: CliIo = {
    env: { DOCKER_CONFIG: server.dataFolder, LAZARET_SERVER: server.url },
    homeFolder: server.dataFolder,
    stdin: Readable.from([]),
    terminal: false,
    signal: new AbortController().signal,
    out: (text) => void lines.push(...text.split('\n')),
    note: (text) => void lines.push(text),
    exit: (code) => void exits.push(code),
  };
  const program = new Command('lazaret').exitOverride();
  register(program, io);
  await program.parseAsync(['region', 'ls'], { from: 'user' });
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual([
    ['NAME', 'URL', 'ROLE', 'QUARANTINE LANE', 'CONTENT LANE', 'LAST HEARD'],
    ['home (here)', server.url, 'primary', '-', '-', '-'],
    ['away', 'http://away.invalid', 'secondary', '-', '-', 'never (out of reach)'],
  ]);
  expect(exits).toEqual([3]);
});
