import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret, lazaretRead } from '../../test/support/command-line.ts';
import { configType, manifestType } from '../../test/support/distribution-world.ts';
import { http } from '../../test/support/http.ts';
import { buildImage, buildLayer } from '../../test/support/oci-layout.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';

/** Put together here, so that this file has no secret in it. */
const value = ['ghp', 'Zb3dEf6hIj9lMn2pQr5tUv8xYz1bCd4fGh7j'].join('_');
const lines: string[] = [];
let server: TestServer;

beforeAll(async () => {
  const logger = pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) });
  server = await startTestServer({ logger });
  const layer = await buildLayer([{ path: 'app/deploy.sh', content: `#!/bin/sh\nT=${value}\n` }]);
  const image = buildImage({ layers: [layer] });
  for (const { digest, bytes } of [image.config, layer]) {
    const begun = await http(server.admin, 'POST /v2/default/shop/blobs/uploads/');
    const location = begun.headers.get('location') ?? '';
    await http(server.admin, `PUT ${location}?digest=${digest}`, { body: bytes });
  }
  expect(image.config.mediaType).toBe(configType);
  const headers = { 'content-type': manifestType };
  const put = { body: image.manifest.bytes, headers };
  expect((await http(server.admin, 'PUT /v2/default/shop/manifests/1', put)).status).toBe(201);
  await server.drain();
});
afterAll(() => server.close());

it('finds a kind of secrets, and says where without saying what', async () => {
  const { text, code } = await lazaret(server.admin, 'scan', '--all', '--secret', 'git*');
  expect(code).toBe(2);
  expect(text).toMatch(/github-token {2}app\/deploy\.sh:2 \(layer [0-9a-f]{12}\)/);
  expect(text).not.toContain(value);
  expect((await lazaret(server.admin, 'scan', '--all', '--secret', 'aws-*')).code).toBe(0);
});

it('finds one very secret that is given on standard input, with or without a line end', async () => {
  for (const input of [value, `${value}\n`]) {
    const { text, code } = await lazaretRead(server.admin, input, 'scan', '--all', '--secret-stdin');
    expect([code, text]).toEqual([2, expect.stringContaining('app/deploy.sh:2')]);
    expect(text).not.toContain(value);
  }
  expect((await lazaretRead(server.admin, 'another one', 'scan', '--all', '--secret-stdin')).code).toBe(0);
  await expect(lazaretRead(server.admin, '', 'scan', '--all', '--secret-stdin')).rejects.toThrow(
    /1 to 65536/,
  );
});

it('lists where an image has secrets', async () => {
  const { text } = await lazaret(server.admin, 'image', 'show', 'default/shop:1', '--secrets');
  expect(text).toMatch(/github-token +1 +\/app\/deploy\.sh +2 +1:[0-9a-f]{12}/);
});

it('leaves the value in no file of the data folder but the blob itself, and in no line of the log', async () => {
  expect(lines.length).toBeGreaterThan(0);
  expect(lines.filter((line) => line.includes(value))).toEqual([]);
  const files = await readdir(server.dataFolder, { recursive: true, withFileTypes: true });
  const database = files.filter((file) => file.isFile() && /\.(?:db|sqlite)/.test(file.name));
  expect(database).not.toEqual([]);
  for (const file of database) {
    const bytes = await readFile(join(file.parentPath, file.name));
    expect(bytes.includes(value)).toBe(false);
    expect(bytes.includes(Buffer.from(value).toString('base64').slice(0, 40))).toBe(false);
  }
});
