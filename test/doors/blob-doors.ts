/** The doors through which a blob is pulled. */
import { expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { http } from '../support/http.ts';
import type { Content } from '../support/oci-layout.ts';
import { type Cell, expectBytes, expectCell, slug, statusOf } from './answers.ts';
import { type BlobKind, blobKinds, blobOf, manifestNaming } from './content.ts';
import {
  type Arrangement,
  type Column,
  columns,
  type DoorWorld,
  type RegionName,
  regionNames,
} from './world.ts';

interface BlobDoor extends Readonly<Record<Column, Cell>> {
  readonly door: string;
  readonly ask: (client: Client, path: string, blob: Content) => Promise<Response>;
  /** What is served, when it is. */
  readonly body?: (blob: Content) => Uint8Array;
}

const get =
  (headers: (blob: Content) => Record<string, string>) => (client: Client, path: string, blob: Content) =>
    http(client, `GET ${path}`, { headers: headers(blob) });

const doors: readonly BlobDoor[] = [
  {
    door: 'GET',
    live: 200,
    condemned: '404 BLOB_UNKNOWN',
    reached: '403 DENIED',
    ask: get(() => ({})),
    body: (blob) => blob.bytes,
  },
  {
    door: 'HEAD',
    live: 200,
    condemned: 404,
    reached: 403,
    ask: (client, path) => http(client, `HEAD ${path}`),
  },
  {
    door: 'GET of a range',
    live: 206,
    condemned: '404 BLOB_UNKNOWN',
    reached: '403 DENIED',
    ask: get(() => ({ range: 'bytes=1-3' })),
    body: (blob) => blob.bytes.subarray(1, 4),
  },
  {
    door: 'GET with If-None-Match',
    live: 304,
    condemned: '404 BLOB_UNKNOWN',
    reached: '403 DENIED',
    ask: get((blob) => ({ 'if-none-match': `"${blob.digest}"` })),
  },
  {
    door: 'HEAD with If-None-Match',
    live: 304,
    condemned: 404,
    reached: 403,
    ask: (client, path, blob) =>
      http(client, `HEAD ${path}`, { headers: { 'if-none-match': `"${blob.digest}"` } }),
  },
];

/** `near` is copied to the replica before it is asked for, `far` when it is asked for: whatever it is. */
export function blobDoors(arranged: Arrangement, world: () => DoorWorld): void {
  for (const kind of blobKinds)
    for (const column of columns) {
      pullsOf(arranged, world, { repository: 'acme/near', kind, column, regions: regionNames });
      if (kind === blobKinds[0])
        pullsOf(arranged, world, { repository: 'acme/far', kind, column, regions: ['replica'] });
    }
}

interface Place {
  readonly repository: string;
  readonly kind: BlobKind;
  readonly column: Column;
  readonly regions: readonly RegionName[];
}

function pullsOf(arranged: Arrangement, world: () => DoorWorld, place: Place): void {
  const { repository, kind, column, regions } = place;
  const blob = blobOf(kind, `pulled ${repository} ${kind.name} ${column}`);
  const { manifest, other } = manifestNaming(kind, blob);
  arranged.push(repository, [blob, other, manifest], slug(`${kind.name} ${column}`));
  // What an available manifest names is never condemned.
  if (column === 'condemned') arranged.delete(repository, manifest);
  arranged.place(column, blob);
  for (const region of regions)
    for (const { door, ask, body, ...row } of doors)
      it(`${door} of ${kind.name}, ${column}, in ${repository} at ${region}: ${row[column]}`, async () => {
        const response = await ask(world()[region].reader, `/v2/${repository}/blobs/${blob.digest}`, blob);
        if (door.startsWith('HEAD')) expect(response.status).toBe(statusOf(row[column]));
        else await expectCell(response, row[column]);
        if (body && column === 'live') await expectBytes(response, { ...blob, bytes: body(blob) });
      });
}
