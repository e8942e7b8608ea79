/**
 * A real image, pushed by skopeo to a server and read by it; and the same image as umoci unpacks it, where the tools that
 * know its packages are asked.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe } from 'vitest';
import { type Client, call } from '../../src/client/client.ts';
import { imageShow } from '../../src/contract/images.ts';
import { imageFileList, imagePackageList, imageSecretList } from '../../src/contract/inventory-lists.ts';
import type { RouteAnswer } from '../../src/contract/route.ts';
import { limits } from '../../src/lib/limits.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { buildRealImage, run, whyNone } from './build.ts';
import { unpackedFiles } from './unpacked-files.ts';

const setUpMs = 900_000;
const none = await whyNone();

type Shown = RouteAnswer<typeof imageShow>;
export type ListedPackage = RouteAnswer<typeof imagePackageList>['items'][number];
export type ListedFile = RouteAnswer<typeof imageFileList>['items'][number];
export type ListedSecret = RouteAnswer<typeof imageSecretList>['items'][number];

export interface RealImage {
  /** The folder that is the image's `/`. */
  readonly root: string;
  /** Its files, as `unpackedFiles` lists them, before any tool was run on them. */
  readonly unpacked: readonly string[];
  readonly shown: Shown;
  /** Of the index, where a platform was asked for. */
  readonly children: Shown['children'];
  /** Of the image as a whole. */
  readonly packages: readonly ListedPackage[];
  readonly files: readonly ListedFile[];
  /** Also of what a later layer hides. */
  readonly secrets: readonly ListedSecret[];
  /** Who may ask the server more, and what about. */
  readonly admin: Client;
  readonly of: { readonly reference: string; readonly platform?: string };
  /** What one layer has, from the lowest, which is 0. */
  filesOfLayer(layer: number): Promise<readonly ListedFile[]>;
}

/** Tests of one image, which is there once they run: `image()`. Of an index the image for `platform`. */
export function describeRealImage(
  { name, platform }: { name: string; platform?: string },
  tests: (image: () => RealImage) => void,
): void {
  const title = [name, platform].filter((part) => part !== undefined).join(' ');
  describe.skipIf(none !== undefined)(`${title}${none === undefined ? '' : ` (skipped: ${none})`}`, () => {
    let folder: string;
    let server: TestServer | undefined;
    let image: RealImage;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'lazaret-image-'));
      const layout = await buildRealImage(name);
      const root = join(folder, 'root');
      await unpack(layout, { root, folder, platform });
      const unpacked = await unpackedFiles(root);
      server = await startTestServer();
      await push(layout, server, name);
      await server.drain();
      image = { root, unpacked, ...(await inspected(server, { name, platform })) };
    }, setUpMs);
    afterAll(async () => {
      await server?.close();
      await rm(folder, { recursive: true, force: true });
    }, setUpMs);

    tests(() => image);
  });
}

/** skopeo chooses the platform, since umoci knows no indexes. */
async function unpack(
  layout: string,
  { root, folder, platform }: { root: string; folder: string; platform: string | undefined },
): Promise<void> {
  const [os, architecture] = platform?.split('/') ?? [];
  const one = join(folder, 'layout');
  const wanted = os && architecture ? [`--override-os=${os}`, `--override-arch=${architecture}`] : [];
  const from = ['--insecure-policy', ...wanted, 'copy', '--quiet', `oci:${layout}:latest`];
  if (platform !== undefined) await run('skopeo', [...from, `oci:${one}:latest`]);
  await run('umoci', ['raw', 'unpack', '--image', `${platform === undefined ? layout : one}:latest`, root]);
}

async function push(layout: string, { url, admin }: TestServer, name: string): Promise<void> {
  const { credentials } = admin;
  const creds = credentials?.kind === 'basic' ? `${credentials.username}:${credentials.password}` : '';
  const to = [
    '--dest-tls-verify=false',
    `--dest-creds=${creds}`,
    `docker://${new URL(url).host}/acme/${name}:1`,
  ];
  await run('skopeo', ['--insecure-policy', 'copy', '--quiet', '--all', `oci:${layout}:latest`, ...to]);
}

async function inspected(
  { admin }: TestServer,
  { name, platform }: { name: string; platform: string | undefined },
): Promise<Omit<RealImage, 'root' | 'unpacked'>> {
  const of = { reference: `acme/${name}:1`, ...(platform === undefined ? {} : { platform }) };
  const asked = { ...of, limit: limits.inventoryPageMax };
  const files = (query: { in: 'image' | 'layer'; layer?: string }) =>
    allPages((after) => call(admin, imageFileList, { query: { ...asked, ...query, ...after } }));
  const shown = await call(admin, imageShow, { query: of });
  const { children } = await call(admin, imageShow, { query: { reference: of.reference } });
  return {
    admin,
    of,
    shown,
    children,
    packages: await allPages((after) =>
      call(admin, imagePackageList, { query: { ...asked, in: 'image', ...after } }),
    ),
    files: await files({ in: 'image' }),
    secrets: await allPages((after) =>
      call(admin, imageSecretList, { query: { ...asked, in: 'layer', ...after } }),
    ),
    filesOfLayer: (layer) => files({ in: 'layer', layer: shown.layers[layer]?.digest ?? '' }),
  };
}

type Page<T> = { readonly items: readonly T[]; readonly next: string | null };

async function allPages<T>(page: (after: { after?: string }) => Promise<Page<T>>): Promise<readonly T[]> {
  const found: T[] = [];
  let next: string | null = null;
  do {
    const read: Page<T> = await page(next === null ? {} : { after: next });
    for (const item of read.items) found.push(item);
    next = read.next;
  } while (next !== null);
  return found;
}
