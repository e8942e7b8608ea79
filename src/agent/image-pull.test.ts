import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, buildLayer, type Image } from '../../test/support/oci-layout.ts';
import { imagePuller } from './image-pull.ts';
import { readLayoutImage } from './runtimes/image-layout.ts';

interface Answer {
  readonly status?: number;
  readonly bytes: Uint8Array | string;
}

describe('pulling an image', () => {
  const answers = new Map<string, Answer>();
  const asked: (string | undefined)[] = [];
  let server: Server;
  let url = '';
  let folder = '';
  let image: Image;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lazaret-pull-'));
    const layer = await buildLayer([{ path: 'app', content: 'x' }]);
    image = buildImage({ layers: [layer, layer] });
    server = createServer((request, response) => {
      asked.push(request.headers.authorization);
      const answer = answers.get(request.url?.split('/').at(-1) ?? '');
      response.writeHead(answer?.status ?? (answer ? 200 : 404)).end(answer?.bytes ?? '{}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
  });
  afterEach(() => answers.clear());
  afterAll(async () => {
    await new Promise((resolve) => server.close(resolve).closeAllConnections());
    await rm(folder, { recursive: true, force: true });
  });

  const pull = (changed: Record<string, Answer> = {}) => {
    for (const part of [image.manifest, image.config, ...image.layers])
      answers.set(part.digest, { bytes: part.bytes });
    for (const [digest, answer] of Object.entries(changed)) answers.set(digest, answer);
    const credentials = { kind: 'basic', username: 'instance/host-1', password: 's' } as const;
    const to = { repository: 'acme/shop', digest: image.manifest.digest, folder: join(folder, 'layout') };
    return imagePuller({ url, credentials })(to, new AbortController().signal);
  };

  it('writes a layout that a runtime reads, each blob once, with the credentials of the instance', async () => {
    const source = await pull();
    expect((await readLayoutImage(source)).manifest.layers).toHaveLength(2);
    expect(asked).toHaveLength(3);
    expect(new Set(asked)).toEqual(new Set([`Basic ${Buffer.from('instance/host-1:s').toString('base64')}`]));
  });

  it.each([
    ['a manifest that is another one', 'manifest', 'digestInvalid'],
    ['a layer with other bytes', 'layer', 'digestInvalid'],
    ['a layer that does not end', 'long', 'digestInvalid'],
    ['a layer that is missing', 'missing', 'blobUnknown'],
    ['an image that is refused', 'denied', 'denied'],
  ])('refuses %s', async (_, what, code) => {
    const [layer] = image.layers;
    const bytes = Buffer.from(layer?.bytes ?? []);
    const said = (oci: string) => JSON.stringify({ errors: [{ code: oci, message: 'revoked (R-1)' }] });
    const changes: Record<string, [string, Answer]> = {
      manifest: [image.manifest.digest, { bytes: '{}' }],
      layer: [layer?.digest ?? '', { bytes: Buffer.alloc(bytes.length) }],
      long: [layer?.digest ?? '', { bytes: Buffer.concat([bytes, bytes]) }],
      missing: [layer?.digest ?? '', { status: 404, bytes: said('BLOB_UNKNOWN') }],
      denied: [image.manifest.digest, { status: 403, bytes: said('DENIED') }],
    };
    const [digest = '', answer = { bytes: '' }] = changes[what] ?? [];
    await expect(pull({ [digest]: answer })).rejects.toMatchObject({ code });
  });
});
