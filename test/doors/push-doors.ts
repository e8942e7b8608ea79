/** The doors through which a blob, or a manifest that names it, comes in. Each cell has a blob of its own. */
import { expect, it } from 'vitest';
import { isNonDistributable } from '../../src/oci/media-types.ts';
import { http } from '../support/http.ts';
import type { Content } from '../support/oci-layout.ts';
import { type Cell, expectBytes, expectCell, expectSentHome } from './answers.ts';
import { type BlobKind, blobKinds, blobOf, manifestNaming } from './content.ts';
import { type Arrangement, type Column, columns, type Doors, type DoorWorld, type Session } from './world.ts';

const shop = 'acme/shop';
const elsewhere = 'acme/mounted';

interface Pushing {
  readonly blob: Content;
  readonly manifest: Content;
  /** Begun before, at home. */
  readonly session: Session;
}

interface PushDoor extends Readonly<Record<Column, Cell>> {
  readonly door: string;
  readonly push: (doors: Doors, pushing: Pushing) => Promise<Response>;
  /** It is served from there afterwards. */
  readonly servedFrom?: string;
  /** Where a manifest names it. */
  readonly names?: string;
  /** It has an upload, which has ended afterwards. */
  readonly ends?: true;
}

const begun = async ({ maintainer }: Doors) => http(maintainer, `POST /v2/${shop}/blobs/uploads/`);

const doors: readonly PushDoor[] = [
  {
    door: 'mount',
    live: 201,
    condemned: 202,
    reached: '403 DENIED',
    servedFrom: elsewhere,
    push: ({ maintainer }, { blob }) =>
      http(maintainer, `POST /v2/${elsewhere}/blobs/uploads/?mount=${blob.digest}&from=${shop}`),
  },
  {
    door: 'mount from itself',
    live: 201,
    condemned: 202,
    reached: '403 DENIED',
    servedFrom: shop,
    push: ({ maintainer }, { blob }) =>
      http(maintainer, `POST /v2/${shop}/blobs/uploads/?mount=${blob.digest}`),
  },
  {
    door: 'upload that is closed',
    live: 201,
    condemned: 201,
    reached: '403 DENIED',
    servedFrom: shop,
    push: async (to, { blob }) => {
      const response = await begun(to);
      if (response.status !== 202) return response;
      return http(to.maintainer, `PUT ${response.headers.get('location')}?digest=${blob.digest}`, {
        body: blob.bytes,
      });
    },
  },
  {
    door: 'upload begun before that is closed',
    live: 201,
    condemned: 201,
    reached: '403 DENIED',
    servedFrom: shop,
    ends: true,
    push: ({ maintainer }, { blob, session }) =>
      http(maintainer, `PUT ${session.location}?digest=${blob.digest}`),
  },
  {
    door: 'upload in one POST',
    live: 201,
    condemned: 201,
    reached: '403 DENIED',
    servedFrom: shop,
    push: ({ maintainer }, { blob }) =>
      http(maintainer, `POST /v2/${shop}/blobs/uploads/?digest=${blob.digest}`, { body: blob.bytes }),
  },
  {
    door: 'PUT of a manifest that names it',
    live: 201,
    condemned: '404 MANIFEST_BLOB_UNKNOWN',
    reached: '403 DENIED',
    names: shop,
    push: ({ maintainer }, { manifest }) => put(maintainer, shop, manifest),
  },
  {
    door: 'PUT of a manifest that names it where it is not',
    live: '404 MANIFEST_BLOB_UNKNOWN',
    condemned: '404 MANIFEST_BLOB_UNKNOWN',
    reached: '403 DENIED',
    names: 'acme/empty',
    push: ({ maintainer }, { manifest }) => put(maintainer, 'acme/empty', manifest),
  },
];

function put(client: Doors['maintainer'], repository: string, { digest, bytes, mediaType }: Content) {
  const headers = { 'content-type': mediaType };
  return http(client, `PUT /v2/${repository}/manifests/${digest}`, { body: bytes, headers });
}

export function pushDoors(arranged: Arrangement, world: () => DoorWorld): void {
  for (const row of doors)
    for (const kind of blobKinds)
      for (const column of columns) pushesOf(arranged, world, { row, kind, column });
}

interface Place {
  readonly row: PushDoor;
  readonly kind: BlobKind;
  readonly column: Column;
}

function pushesOf(arranged: Arrangement, world: () => DoorWorld, { row, kind, column }: Place): void {
  const blob = blobOf(kind, `${row.door} ${kind.name} ${column}`);
  const { manifest, other } = manifestNaming(kind, blob);
  arranged.push(shop, row.names ? [blob, other] : [blob]);
  if (row.names === 'acme/empty') arranged.push('acme/empty', [other]);
  arranged.place(column, blob);
  const session = row.ends ? arranged.begin(shop, blob) : { location: '/v2/acme/shop/blobs/uploads/none' };
  const pushing = { blob, manifest, session };
  const cell = cellOf({ row, kind, column });
  it(`${row.door}: ${kind.name}, ${column}, at home: ${cell}`, async () => {
    const { home } = world();
    await expectCell(await row.push(home, pushing), cell);
    if (row.ends) expect((await http(home.maintainer, `GET ${session.location}`)).status).toBe(404);
    const { servedFrom } = row;
    if (servedFrom === undefined || cell !== 201) return;
    await expectBytes(await http(home.reader, `GET /v2/${servedFrom}/blobs/${blob.digest}`), blob);
  });
  // A replica sends all of it home, before it looks at what it is.
  if (!row.ends && kind === blobKinds[0])
    it(`${row.door}: ${kind.name}, ${column}, at a replica: home is named`, async () => {
      await expectSentHome(await row.push(world().replica, pushing), world());
    });
}

/** A layer that is fetched from elsewhere need not be here. */
function cellOf({ row, kind, column }: Place): Cell {
  const cell = row[column];
  return cell === '404 MANIFEST_BLOB_UNKNOWN' && isNonDistributable(kind.mediaType) ? 201 : cell;
}
