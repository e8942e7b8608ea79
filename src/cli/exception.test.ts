import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret, lazaretRead } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  manifestType,
  openDistributionWorld,
  pushBlob,
  pushLayers,
} from '../../test/support/distribution-world.ts';
import { notAffected, npmAdvisory, vexDocument } from '../../test/support/excepting.ts';
import { http } from '../../test/support/http.ts';
import { buildLayer } from '../../test/support/oci-layout.ts';
import type { Client } from '../client/client.ts';
import { digestOf } from '../oci/digest.ts';
import { openVexMediaType } from '../vex/openvex.ts';

let world: DistributionWorld;
/** Decides for acme. */
let security: Client;
let digest: string;
const as = (client: Client, ...argv: string[]) => lazaret(client, ...argv);

beforeAll(async () => {
  world = await openDistributionWorld();
  const bindings = [{ role: 'security' as const, account: 'acme', repositoryGlob: null }];
  security = await world.server.user('sam', 'acme', bindings);
  const files = [
    { path: 'node_modules/lodash/package.json', content: '{"name":"lodash","version":"4.17.20"}' },
  ];
  digest = await pushLayers(world.acme, 'acme/shop:1', [await buildLayer(files)]);
  await world.server.drain();
  const advisory = JSON.stringify(
    npmAdvisory('GHSA-35jh-r3h4-6jhm', 'lodash', { aliases: ['CVE-2021-23337'] }),
  );
  await lazaretRead(world.server.admin, advisory, 'advisory', 'import', '-');
});
afterAll(() => world.server.close());

/** As a client attaches it. */
async function attachedVex(client: Client, repository: string, subject: string, document: object) {
  const descriptor = (mediaType: string, text: string) => ({
    ...{ mediaType, digest: digestOf(text), size: Buffer.byteLength(text) },
  });
  const text = JSON.stringify(document);
  for (const blob of ['{}', text]) await pushBlob(client, repository, blob);
  const body = JSON.stringify({
    ...{ schemaVersion: 2, mediaType: manifestType, artifactType: openVexMediaType },
    config: descriptor('application/vnd.oci.empty.v1+json', '{}'),
    layers: [descriptor(openVexMediaType, text)],
    subject: { mediaType: manifestType, digest: subject, size: 1 },
  });
  const headers = { 'content-type': manifestType };
  const put = await http(client, `PUT /v2/${repository}/manifests/${digestOf(body)}`, { body, headers });
  expect(put.status).toBe(201);
}

const image = () => `pkg:oci/shop@${encodeURIComponent(digest)}`;
const statement = () =>
  notAffected('CVE-2021-23337', { '@id': image(), subcomponents: [{ '@id': 'pkg:npm/lodash@4.17.20' }] });

it('takes an OpenVEX document, and tells in scan and explain what does not count, by whom and why', async () => {
  const before = await as(security, 'scan', 'acme/shop:1', '--advisory', 'CVE-2021-23337');
  expect(before.code).toBe(2);
  const document = JSON.stringify(vexDocument({ statements: [statement()] }));
  const imported = await lazaretRead(security, document, 'vex', 'import', '-', '--expires', '90d');
  expect(imported).toMatchObject({ code: 0 });
  expect(imported.text).toContain('1 exception added (E-1), 0 as before, 0 withdrawn');
  const after = await as(security, 'scan', 'acme/shop:1', '--advisory', 'CVE-2021-23337');
  expect(after.code).toBe(0);
  expect(after.text).toContain('excepted: findings in 1 image without a match');
  expect(after.text).toMatch(
    /CVE-2021-23337 in 1 image excepted by E-1 \(vulnerable_code_not_in_execute_path/,
  );
  const sarif = await as(security, 'scan', 'acme/shop:1', '--advisory', 'CVE-2021-23337', '-o', 'sarif');
  expect(JSON.parse(sarif.text).runs[0].invocations[0].toolExecutionNotifications).toMatchObject([
    { message: { text: expect.stringContaining('excepted by E-1') } },
  ]);
  const explained = await as(security, 'explain', 'acme/shop:1');
  expect(explained.code).toBe(0);
  expect(explained.text).toContain('excepted: GHSA-35jh-r3h4-6jhm');
  expect(explained.text).toMatch(/excepted by E-1 \(.*, says Acme Security, until 20\d\d-\d\d-\d\d\)/);
  expect(explained.text).toContain('0 hold, 0 unknown, 1 excepted');
});

it('lists, shows and withdraws what counts', async () => {
  const listed = await as(world.reader, 'exception', 'ls', '--advisory', 'CVE-2021-23337');
  expect(listed.text).toMatch(/E-1 +accepted +CVE-2021-23337 +pkg:npm\/lodash/);
  for (const line of listed.text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  const shown = await as(world.reader, 'exception', 'show', 'E-1');
  expect(shown.text).toContain('https://acme.example/vex version 1, vex.statements[0].products[0]');
  await expect(as(world.stranger, 'exception', 'show', 'E-1')).rejects.toMatchObject({ code: 'notFound' });
  await expect(as(world.acme, 'exception', 'withdraw', 'E-1')).rejects.toMatchObject({ code: 'denied' });
  const withdrawn = await as(security, 'exception', 'withdraw', 'E-1', '--because', 'it is called');
  expect(withdrawn.text).toMatch(/withdrawn .* by sam: it is called/);
  expect((await as(security, 'explain', 'acme/shop:1')).code).toBe(2);
  expect((await as(security, 'exception', 'ls')).text).not.toContain('E-1');
  expect((await as(security, 'exception', 'ls', '--all')).text).toContain('E-1');
});

it('adds one by hand, for the caller’s own repositories', async () => {
  const asked = ['exception', 'add', 'CVE-2021-23337', '--justification', 'component_not_present'];
  const added = await as(security, ...asked, '--repositories', 'acme/*', '--package', 'pkg:npm/lodash');
  expect(added.text).toContain('pkg:npm/lodash in acme/*');
  expect((await as(security, 'explain', 'acme/shop:1')).code).toBe(0);
  await expect(as(security, ...asked, '--repositories', 'globex/*')).rejects.toMatchObject({
    code: 'denied',
  });
  await expect(as(security, ...asked, '--package', 'lodash')).rejects.toMatchObject({
    detail: { path: 'body.purl' },
  });
  await expect(as(security, 'exception', 'add', 'CVE-2021-23337')).rejects.toMatchObject({
    detail: { path: 'body.justification' },
  });
});

it('reports what a document names that is in no image, and refuses a broken one with its path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-vex-'));
  try {
    const file = join(folder, 'vex.json');
    const nowhere = notAffected('CVE-2021-23337', 'https://acme.example/shop');
    await writeFile(file, JSON.stringify({ ...vexDocument({ statements: [nowhere] }), '@id': 'urn:other' }));
    const imported = await as(security, 'vex', 'import', file);
    expect(imported.code).toBe(3);
    expect(imported.text).toContain('vex.statements[0].products[0]: has no package URL');
    await writeFile(file, JSON.stringify(vexDocument({ statements: [{ ...statement(), status: 'fine' }] })));
    await expect(as(security, 'vex', 'import', file)).rejects.toThrow(
      'vex.statements[0].status: must be one of',
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});

it('lets role security decide about what was pushed beside an image', async () => {
  const document = vexDocument({ statements: [notAffected('CVE-2026-7', 'pkg:npm/lodash')] });
  await attachedVex(world.acme, 'acme/shop', digest, document);
  await world.server.drain();
  const proposed = await as(security, 'exception', 'ls', '--proposed');
  const name = /^E-\d+(?= +proposed +CVE-2026-7)/m.exec(proposed.text)?.[0] ?? '';
  await expect(as(world.acme, 'exception', 'accept', name)).rejects.toMatchObject({ code: 'denied' });
  const accepted = await as(security, 'exception', 'accept', name, '--expires', '30d', '--because', 'agreed');
  expect(accepted.text).toMatch(/accepted .* by sam: agreed/);
  expect(accepted.text).toContain('came as sha256:');
  expect((await as(security, 'exception', 'ls', '--proposed')).text).not.toContain(name);
});
