/** An import whose source is an old registry with bad lines, into a real server; and whose own process is killed. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type FakeRegistry, startFakeRegistry } from '../../../test/support/fake-registry.ts';
import { http } from '../../../test/support/http.ts';
import { imported } from '../../../test/support/imported.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  content,
  descriptor,
  type Image,
  jsonContent,
  mediaTypes,
} from '../../../test/support/oci-layout.ts';
import { startTestServer, type TestServer } from '../../../test/support/server.ts';
import type { Client } from '../../client/client.ts';
import { digestOf } from '../../oci/digest.ts';

let server: TestServer;
let folder: string;

beforeAll(async () => {
  server = await startTestServer();
  folder = await mkdtemp(join(tmpdir(), 'lazaret-import-cut-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a registry without the referrers API, and with bad lines', () => {
  let old: FakeRegistry;
  let big: Image;
  beforeAll(async () => {
    big = buildImage({ layers: [await buildLayer([{ path: 'big', content: randomBytes(6 << 20) }])] });
  });
  beforeEach(async () => {
    old = await startFakeRegistry('shop');
    for (const blob of [big.config, ...big.layers]) old.blobs.set(blob.digest, blob);
    for (const reference of ['1', big.manifest.digest]) old.manifests.set(reference, big.manifest);
  });
  afterEach(() => old.close());
  const layer = () => big.layers[0]?.digest ?? '';
  const askedOfLayer = () => old.asked.filter((line) => line.startsWith(`GET /v2/shop/blobs/${layer()}`));

  it('finds referrers by the tag that stands for them', async () => {
    const { referrer, list } = signatureOf(big.manifest, old);
    old.manifests.set(big.manifest.digest.replace(':', '-'), list);
    const report = await imported(server.admin, `docker://${old.host}/shop:1`, 'acme/signed');
    expect(report).toMatchObject({ code: 0, complete: true });
    const found = await http(server.admin, `GET /v2/acme/signed/referrers/${big.manifest.digest}`);
    expect(await found.json()).toMatchObject({ manifests: [{ digest: referrer.digest }] });
  });

  it('goes on within a blob when the source is cut', async () => {
    old.cut = { afterBytes: 4 << 20, how: 'break' };
    const report = await imported(server.admin, `docker://${old.host}/shop`, 'acme/cut');
    expect(report).toMatchObject({ code: 0, complete: true });
    const [first, second] = askedOfLayer();
    expect(first).not.toContain('bytes=');
    expect(Number(/bytes=(\d+)-/.exec(second ?? '')?.[1])).toBeGreaterThan(0);
    const back = await http(server.admin, `GET /v2/acme/cut/blobs/${layer()}`);
    expect(digestOf(Buffer.from(await back.arrayBuffer()))).toBe(layer());
  });

  it('goes on within a blob after the process was killed', async () => {
    const state = join(folder, 'state');
    old.cut = { afterBytes: 5 << 20, how: 'hang' };
    const cut = old.wasCut();
    const first = commandLine(server.admin, state, [`docker://${old.host}/shop`, 'acme/killed']);
    await cut;
    await uploaded(server, 1 << 20);
    first.kill('SIGKILL');
    await once(first, 'exit');
    expect(await readdir(join(state, 'lazaret/import'))).toHaveLength(1);
    old.cut = undefined;
    const second = commandLine(server.admin, state, [`docker://${old.host}/shop`, 'acme/killed']);
    const [code] = await once(second, 'exit');
    expect(code).toBe(0);
    expect(Number(/bytes=(\d+)-/.exec(askedOfLayer().at(-1) ?? '')?.[1])).toBeGreaterThan(0);
    expect((await http(server.admin, 'HEAD /v2/acme/killed/manifests/1')).status).toBe(200);
    expect(await readdir(join(state, 'lazaret/import'))).toEqual([]);
  }, 60_000);
});

function signatureOf(subject: Content, registry: FakeRegistry) {
  const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const referrer = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: 'application/vnd.example.signature',
    config: descriptor(empty),
    layers: [descriptor(empty)],
    subject: descriptor(subject),
  });
  registry.blobs.set(empty.digest, empty);
  registry.manifests.set(referrer.digest, referrer);
  const list = { schemaVersion: 2, mediaType: mediaTypes.index, manifests: [descriptor(referrer)] };
  return { referrer, list: jsonContent(mediaTypes.index, list) };
}

/** The command line as a process of its own. */
function commandLine(client: Client, state: string, argv: readonly string[]) {
  const { credentials } = client;
  const pair = credentials?.kind === 'basic' ? `${credentials.username}:${credentials.password}` : '';
  const auths = { [new URL(client.url).host]: { auth: Buffer.from(pair).toString('base64') } };
  const docker = join(folder, 'docker');
  mkdirSync(docker, { recursive: true });
  writeFileSync(join(docker, 'config.json'), JSON.stringify({ auths }));
  const env = { ...process.env, DOCKER_CONFIG: docker, LAZARET_SERVER: client.url, XDG_STATE_HOME: state };
  return spawn(process.execPath, ['src/bin/lazaret.ts', 'import', ...argv], { env, stdio: 'ignore' });
}

/** Waits until an upload has so many bytes. */
async function uploaded({ context }: TestServer, bytes: number): Promise<void> {
  const longest = async () => {
    const uploads = await context.database.read.selectFrom('uploads').select('storage_key').execute();
    return Math.max(
      0,
      ...(await Promise.all(uploads.map((upload) => context.blobs.length(upload.storage_key)))),
    );
  };
  await expect.poll(longest, { timeout: 20_000 }).toBeGreaterThan(bytes);
}
