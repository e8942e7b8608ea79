/**
 * The clients that people have, against a server that speaks TLS with a certificate of its own authority, and asks for
 * credentials. Each pushes, pulls and copies what it can, and is told why when an image is quarantined. A client that this
 * machine lacks is skipped by name; CI installs all of them.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CertificateAuthority, openAuthority } from '../support/certificates.ts';
import { lazaret } from '../support/command-line.ts';
import { http } from '../support/http.ts';
import { mediaTypes } from '../support/oci-layout.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { type AllContents, type Contents, writeAllContents } from './contents.ts';
import { containerd } from './tools/containerd.ts';
import { docker } from './tools/docker.ts';
import { skopeo } from './tools/skopeo.ts';
import { buildah, podman } from './tools/stored.ts';
import { type ContainerTool, run, type Site, type ToolKind } from './tools/tool.ts';

const stepMs = 120_000;
const tools: readonly ToolKind[] = [skopeo, podman, buildah, docker, containerd];
const missing = new Map<string, string>();
for (const tool of tools) {
  const cause = await missingCause(tool);
  if (cause !== undefined) missing.set(tool.name, cause);
}

async function missingCause({ programs }: ToolKind): Promise<string | undefined> {
  for (const program of programs)
    if (!(await run('which', [program]).catch(() => undefined))) return `there is no ${program}`;
  if (programs.length > 0 && process.getuid?.() !== 0) return 'it is run as root here';
  return undefined;
}

let authority: CertificateAuthority;
let server: TestServer;
let password: string;
let folder: string;
let contents: AllContents;

beforeAll(async () => {
  authority = await openAuthority();
  // Of this process, which is the test's own: so that it can look over the clients' shoulders.
  setDefaultCACertificates([...getCACertificates('default'), await readFile(authority.caFile, 'utf8')]);
  const { cert, key } = await authority.issue('registry');
  server = await startTestServer({
    environment: { LAZARET_LISTEN_TLS_CERT: cert, LAZARET_LISTEN_TLS_KEY: key },
  });
  const { credentials } = server.admin;
  password = credentials?.kind === 'basic' ? credentials.password : '';
  folder = await mkdtemp(join(tmpdir(), 'c-'));
  contents = await writeAllContents(folder);
  const brought = await skopeo.open(await siteOf('brought'));
  for (const each of [contents.image, contents.zstd, contents.index, contents.artifact])
    await brought.push(each, `library/shop:${each.kind}`);
  await brought.push(contents.plain, 'library/shop:other');
}, stepMs);
afterAll(async () => {
  await server.close();
  await authority.close();
  await rm(folder, { recursive: true, force: true });
});

async function siteOf(name: string, changed: Partial<Site> = {}): Promise<Site> {
  const own = join(folder, name);
  await mkdir(own, { recursive: true });
  const port = Number(new URL(server.url).port);
  return { port, caFile: authority.caFile, username: 'admin', password, folder: own, ...changed };
}

describe.each(tools)('$name', (kind) => {
  const cause = missing.get(kind.name);
  const reason = cause === undefined ? '' : ` (skipped: ${cause})`;
  const does = (what: string, work: () => Promise<void>) =>
    test.skipIf(cause !== undefined)(`${what}${reason}`, work, stepMs);
  let tool: ContainerTool;
  beforeAll(async () => {
    if (cause === undefined) tool = await kind.open(await siteOf(kind.name));
  }, stepMs);
  afterAll(() => tool?.close(), stepMs);

  for (const pushed of kind.pushes)
    does(`pushes: ${pushed}`, async () => {
      await tool.push(contents[pushed], `${kind.name}/pushed:${pushed}`);
      await assertPushed(kind, contents[pushed]);
    });

  for (const pulled of kind.pulls)
    does(`pulls what another has pushed: ${pulled}`, async () => {
      const named = await tool.pull(`library/shop:${pulled}`);
      const { root, platforms } = contents[pulled];
      const digests = [root, ...platforms.map((platform) => platform.root)].map(({ digest }) => digest);
      expect(digests.filter((digest) => named.includes(digest))).not.toEqual([]);
    });

  does('copies, and lists and deletes tags if it can', async () => {
    const repository = `${kind.name}/copies`;
    await tool.copy('library/shop:image', `${repository}:1`);
    await tool.copy('library/shop:other', `${repository}:2`);
    expect(await tagsOf(repository)).toEqual(['1', '2']);
    if (tool.list) expect(await tool.list(repository)).toEqual(['1', '2']);
    await tool.remove?.(`${repository}:1`);
    if (tool.remove) expect(await tagsOf(repository)).toEqual(['2']);
  });

  does('is told of a quarantine', async () => {
    await tool.push(contents.image, `${kind.name}/shop:1`);
    await tool.push(contents.marked, `${kind.name}/shop:2`);
    await quarantineAll(kind.name);
    const told = { stderr: expect.stringMatching(/denied: quarantined by admin \(Q-\d+\): DRILL/) };
    await expect(tool.pull(`${kind.name}/shop:2`)).rejects.toMatchObject(told);
    // A client that first asks whether the blob is here stops at the 403 of its HEAD, which has no body.
    const refused = {
      stderr: expect.stringMatching(/quarantined by admin \(Q-\d+\): DRILL|403 \(?Forbidden/),
    };
    await expect(tool.push(contents.marked, `${kind.name}/shop:3`)).rejects.toMatchObject(refused);
    await tool.pull(`${kind.name}/shop:1`);
    if (tool.list) expect(await tool.list(`${kind.name}/shop`)).toEqual(['1', '2']);
    if (tool.remove)
      await expect(tool.remove(`${kind.name}/shop:2`)).rejects.toMatchObject({
        stderr: expect.stringContaining('DRILL'),
      });
    await released(kind.name);
    await tool.pull(`${kind.name}/shop:2`);
  });

  does('is refused with a wrong password', async () => {
    const used = async () => {
      const other = await kind.open(
        await siteOf(`${kind.name}-p`, { username: kind.name, password: 'wrong' }),
      );
      await other.pull('library/shop:image').finally(() => other.close());
    };
    await expect(used()).rejects.toMatchObject({
      stderr: expect.stringMatching(/unauthorized|invalid username|401/i),
    });
  });

  does('refuses a server whose authority it was not told of', async () => {
    const used = async () => {
      const other = await kind.open(await siteOf(`${kind.name}-t`, { caFile: undefined }));
      await other.pull('library/shop:image').finally(() => other.close());
    };
    await expect(used()).rejects.toMatchObject({ stderr: expect.stringMatching(/x509|certificate/) });
  });
});

/** The manifest, in full: what a client has compressed anew has other digests, but says the same. */
async function assertPushed(kind: ToolKind, { kind: what, root }: Contents): Promise<void> {
  const accept = [...Object.values(mediaTypes), dockerTypes.manifest, dockerTypes.list].join(', ');
  const path = `/v2/${kind.name}/pushed/manifests/${what}`;
  const answer = await http(server.admin, `GET ${path}`, { headers: { accept } });
  expect(answer.status).toBe(200);
  if (kind.keepsDigests) expect(answer.headers.get('docker-content-digest')).toBe(root.digest);
  const manifest: Manifest = JSON.parse(await answer.text());
  if (what === 'zstd')
    expect(manifest.layers?.map(({ mediaType }) => mediaType)).toEqual([`${mediaTypes.layer}+zstd`]);
  if (what === 'index') {
    const platforms = manifest.manifests?.map(({ platform }) => platform?.architecture) ?? [];
    expect(platforms).toEqual(expect.arrayContaining(['amd64', 'arm64']));
  }
  if (what === 'artifact') expect(await referrersOf(kind)).toContain(root.digest);
}

const dockerTypes = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  list: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

interface Manifest {
  readonly layers?: readonly { readonly mediaType: string }[];
  readonly manifests?: readonly {
    readonly digest: string;
    readonly platform?: { readonly architecture: string };
  }[];
}

async function referrersOf({ name }: ToolKind): Promise<readonly string[]> {
  const answer = await http(server.admin, `GET /v2/${name}/pushed/referrers/${contents.image.root.digest}`);
  const index: Manifest = JSON.parse(await answer.text());
  return index.manifests?.map(({ digest }) => digest) ?? [];
}

async function tagsOf(repository: string): Promise<readonly string[]> {
  const answer = await http(server.admin, `GET /v2/${repository}/tags/list`);
  const list: { tags: string[] } = JSON.parse(await answer.text());
  return list.tags;
}

/** Quarantines what holds the marked file in the client's repository. */
async function quarantineAll(account: string): Promise<void> {
  await server.drain();
  const scan = ['scan', '--repositories', `${account}/**`, '--file', 'app/banned', '--effect', 'quarantine'];
  const plan = JSON.parse((await lazaret(server.admin, ...scan, '-o', 'json')).text);
  expect(plan.radius.images.length).toBeGreaterThan(0);
  await lazaret(server.admin, 'quarantine', 'apply', plan.name, '--reason', 'DRILL');
  const refused = await http(server.admin, `GET /v2/${account}/shop/manifests/2`, {
    headers: { accept: contents.marked.root.mediaType },
  });
  expect(refused.status).toBe(403);
}

async function released(account: string): Promise<void> {
  const active = JSON.parse((await lazaret(server.admin, 'quarantine', 'ls', '-o', 'json')).text);
  expect(active, account).toHaveLength(1);
  await lazaret(server.admin, 'quarantine', 'release', active[0].name, '--reason', 'the drill is over');
}
