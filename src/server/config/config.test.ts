import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from './config.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lazaret-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function load(yaml: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'lazaret.yaml');
  writeFileSync(file, yaml);
  return loadConfig({ environment, file });
}

describe('the configuration', () => {
  it('is complete when nothing is configured', async () => {
    const { config, warnings } = await load('');
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({
      region: 'local',
      primary: 'local',
      listen: { host: '127.0.0.1', port: 5000, tls: null, trustedProxies: [] },
      url: null,
      blobs: { kind: 'filesystem', folder: join(process.cwd(), 'lazaret-data/blobs') },
      collection: { graceMs: 86_400_000 },
      retention: { packagesMs: 90 * 86_400_000, harmfulMs: 30 * 86_400_000 },
      replication: { repositories: ['**'] },
    });
  });

  it('takes a variable over the file, and the file over the default', async () => {
    const yaml = 'region: eu\nlisten:\n  port: 6000\ncollection: { grace: 1h }';
    const { config } = await load(yaml, {
      LAZARET_LISTEN_PORT: '7000',
      LAZARET_ACCESS_ANONYMOUS_PULL: 'a/*, b/**',
    });
    expect(config).toMatchObject({
      region: 'eu',
      primary: 'eu',
      listen: { port: 7000 },
      collection: { graceMs: 3_600_000 },
    });
    expect(config.access.anonymousPull).toEqual(['a/*', 'b/**']);
  });

  it('reads a value from the file that a variable ending in _FILE names', async () => {
    const secret = join(folder, 'url');
    writeFileSync(secret, 'postgres://jo:secret@db/lazaret\n');
    const { config } = await load('', { LAZARET_DATABASE_URL_FILE: secret });
    expect(config.database).toEqual({ kind: 'postgres', url: 'postgres://jo:secret@db/lazaret' });
  });

  it('takes no region for the primary one that it never hears of', async () => {
    await expect(load('region: eu\nprimary: us')).rejects.toMatchObject({
      code: 'configInvalid',
      message: expect.stringContaining("'us' is neither this region nor one of its peers"),
      detail: { path: 'primary' },
    });
  });

  it('reads peers with their secrets', async () => {
    const secret = join(folder, 'peer');
    writeFileSync(secret, 'a-long-enough-secret\n');
    const { config } = await load(
      `peers:\n  - { name: us, url: "https://us.example/", secretFile: "${secret}" }`,
    );
    const us = { name: 'us', url: 'https://us.example', secret: 'a-long-enough-secret' };
    expect(config.peers).toEqual([us]);
    const yaml = `peers: [{ name: us, url: "https://us.example", secretFile: "${secret}", caFile: "${secret}" }]`;
    expect((await load(yaml)).config.peers).toEqual([{ ...us, ca: us.secret }]);
  });

  it.each([
    ['push: { sparse: all }', {}, [{ repositoryGlob: '**', sparse: 'all' }]],
    [
      'push: { sparse: { "a/**": all, "**": refuse } }',
      {},
      [
        { repositoryGlob: 'a/**', sparse: 'all' },
        { repositoryGlob: '**', sparse: 'refuse' },
      ],
    ],
    ['', { LAZARET_PUSH_SPARSE: 'a/** = all' }, [{ repositoryGlob: 'a/**', sparse: 'all' }]],
    ['', {}, [{ repositoryGlob: '**', sparse: 'index' }]],
  ])('reads what manifests may lack: %s %j', async (yaml, environment, sparse) => {
    const { config } = await load(yaml, environment);
    expect(config.push.sparse).toEqual(sparse);
  });

  it.each([
    ['', {}, undefined],
    [
      'inspection: { clamav: { socket: /run/clamd.ctl } }',
      {},
      { socket: '/run/clamd.ctl', streamBytesMax: 25 * 2 ** 20 },
    ],
    [
      'inspection: { clamav: { streamMax: 100MB } }',
      { LAZARET_INSPECTION_CLAMAV_SOCKET: '[::1]:3310' },
      { socket: '[::1]:3310', streamBytesMax: 100_000_000 },
    ],
  ])('reads where ClamAV is: %s %j', async (yaml, environment, clamav) => {
    const { config } = await load(yaml, environment);
    expect(config.inspection.clamav).toEqual(clamav);
  });

  it('warns of a variable that means nothing, as Kubernetes injects', async () => {
    const { warnings } = await load('', { LAZARET_PORT: 'tcp://10.0.0.1:5000', PATH: '/bin' });
    expect(warnings).toEqual(['LAZARET_PORT is no setting of Lazaret and has no effect']);
  });

  it.each([
    ['listen: { prot: 1 }', 'listen.prot', "did you mean 'listen.port'?"],
    ['lissten: { port: 1 }', 'lissten', "did you mean 'listen'?"],
    ['colour: red', 'colour', 'known are region'],
    ['listen: 5000', 'listen', 'must be an object'],
    ['listen: { port: 70000 }', 'listen.port', 'integer from 0 to 65535'],
    ['collection: { grace: 24 }', 'collection.grace', 'must be text'],
    ['collection: { grace: 24 hours }', 'collection.grace', 'is not a duration'],
    ['log: { level: loud }', 'log.level', 'must be one of'],
    ['url: registry.example', 'url', 'http'],
    ['listen: { tls: { cert: a.pem } }', 'listen.tls.key', 'given together'],
    ['listen: { trustedProxies: [10.0.0.0/33] }', 'listen.trustedProxies', 'neither an address'],
    ['database: { url: mysql://x }', 'database.url', 'postgres'],
    ['region: EU', 'region', 'a-z'],
    ['peers: [{ name: us, url: "http://u", secret: short }]', 'peers[0]', 'at least 16'],
    ['peers: [{ name: us, url: "http://u", sekret: x }]', 'peers[0].sekret', "did you mean 'secret'?"],
    ['peers: [{ name: local, url: "http://u", secret: aaaaaaaaaaaaaaaaaaaa }]', 'peers', 'named twice'],
    ['inspection: { clamav: { socket: clamd } }', 'inspection.clamav.socket', 'host:port'],
    ['inspection: { clamav: { socket: "clamd:0" } }', 'inspection.clamav.socket', 'host:port'],
    ['inspection: { clamav: { streamMax: big } }', 'inspection.clamav.streamMax', '25MiB'],
    ['inspection: { clamav: { streamMax: 5GiB } }', 'inspection.clamav.streamMax', 'bytes'],
    ['access: { anonymousPull: ["{a"] }', 'access.anonymousPull', 'is not a glob'],
    ['push: { sparse: some }', 'push.sparse', 'must be one of refuse, index, all'],
    ['push: { sparse: { "{a": all } }', 'push.sparse', 'is not a glob'],
    ['push: { sparse: { "a/**": some } }', 'push.sparse["a/**"]', 'must be one of refuse, index, all'],
    ['push: { sparse: "a/**=some" }', 'push.sparse', "'some' is not one of refuse, index, all"],
  ])('refuses %s and names the key', async (yaml, path, message) => {
    await expect(load(yaml)).rejects.toMatchObject({
      code: 'configInvalid',
      detail: { path },
      message: expect.stringContaining(message),
    });
  });

  it('refuses a file that is no YAML or is not there', async () => {
    await expect(load('a: [')).rejects.toMatchObject({ code: 'configInvalid' });
    const missing = loadConfig({ environment: {}, file: join(folder, 'none.yaml') });
    await expect(missing).rejects.toMatchObject({ code: 'configInvalid' });
  });
});
