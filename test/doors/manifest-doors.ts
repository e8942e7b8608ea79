/** The doors of a manifest, for each kind and nesting, and for a mark on each part of it that it needs. */
import { expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { http } from '../support/http.ts';
import { type Content, descriptor } from '../support/oci-layout.ts';
import { type Cell, expectBytes, expectCell, expectSentHome, slug, statusOf } from './answers.ts';
import { artefactOf, indexOf, type Pushed, type Shape, shapes } from './content.ts';
import { type Arrangement, type Doors, type DoorWorld, reason, regionNames } from './world.ts';

const shop = 'acme/shop';

interface Named extends Pushed {
  readonly tag: string;
}

interface ManifestDoor {
  readonly door: string;
  readonly live: Cell;
  /** Left out: it can't happen. */
  readonly reached?: Cell;
  readonly ask: (doors: Doors, named: Named) => Promise<Response>;
  /** The manifest is served, or (HEAD) described. */
  readonly serves?: 'body' | 'head';
  /** When it is reached, a warning says so. */
  readonly warns?: true;
}

const manifests = `/v2/${shop}/manifests`;
const matching = ({ top }: Named) => ({ headers: { 'if-none-match': `"${top.digest}"` } });

const pulls: readonly ManifestDoor[] = [
  {
    door: 'GET by tag',
    live: 200,
    reached: '403 DENIED',
    serves: 'body',
    ask: ({ reader }, { tag }) => http(reader, `GET ${manifests}/${tag}`),
  },
  {
    door: 'GET by digest',
    live: 200,
    reached: '403 DENIED',
    serves: 'body',
    ask: ({ reader }, { top }) => http(reader, `GET ${manifests}/${top.digest}`),
  },
  {
    door: 'GET with If-None-Match',
    live: 304,
    reached: '403 DENIED',
    ask: ({ reader }, named) => http(reader, `GET ${manifests}/${named.tag}`, matching(named)),
  },
  {
    door: 'HEAD by digest',
    live: 200,
    reached: 403,
    serves: 'head',
    ask: ({ reader }, { top }) => http(reader, `HEAD ${manifests}/${top.digest}`),
  },
  {
    door: 'HEAD by digest, with If-None-Match',
    live: 304,
    reached: 403,
    ask: ({ reader }, named) => http(reader, `HEAD ${manifests}/${named.top.digest}`, matching(named)),
  },
  {
    door: 'HEAD by tag, of who only pulls',
    live: 200,
    reached: 200,
    serves: 'head',
    warns: true,
    ask: ({ reader }, { tag }) => http(reader, `HEAD ${manifests}/${tag}`),
  },
  {
    door: 'HEAD by tag, of who only pulls, with If-None-Match',
    live: 304,
    reached: 200,
    warns: true,
    ask: ({ reader }, named) => http(reader, `HEAD ${manifests}/${named.tag}`, matching(named)),
  },
  {
    door: 'HEAD by tag, with a token for pulling',
    live: 200,
    reached: 200,
    serves: 'head',
    warns: true,
    ask: async ({ maintainer }, { tag }) =>
      http(await tokenFor(maintainer, 'pull'), `HEAD ${manifests}/${tag}`),
  },
  {
    door: 'HEAD by tag, with a token for pushing',
    live: 200,
    reached: 404,
    serves: 'head',
    ask: async ({ maintainer }, { tag }) =>
      http(await tokenFor(maintainer, 'pull,push'), `HEAD ${manifests}/${tag}`),
  },
  {
    door: 'GET of its referrers',
    live: 200,
    reached: 200,
    ask: ({ reader }, { top }) => http(reader, `GET /v2/${shop}/referrers/${top.digest}`),
  },
];

/** At a replica, all of them name home. In this order: what goes is gone. */
const changes: readonly ManifestDoor[] = [
  {
    door: 'PUT of it, under another tag',
    live: 201,
    reached: '403 DENIED',
    ask: ({ maintainer }, { top, tag }) => put(maintainer, `again-${tag}`, top),
  },
  {
    door: 'PUT of an index that names it',
    live: 201,
    reached: '403 DENIED',
    ask: ({ maintainer }, { top, tag }) => put(maintainer, `index-${tag}`, namingIt(top, 'ociIndex')),
  },
  {
    door: 'PUT of a Docker list that names it',
    live: 201,
    reached: '403 DENIED',
    ask: ({ maintainer }, { top, tag }) => put(maintainer, `list-${tag}`, namingIt(top, 'dockerIndex')),
  },
  {
    door: 'PUT of what only refers to it',
    live: 201,
    reached: 201,
    ask: ({ maintainer }, { top, tag }) => put(maintainer, `sbom-${tag}`, sbomOf(top)),
  },
  {
    door: 'GET of the tags',
    live: 200,
    reached: 200,
    ask: ({ maintainer }) => http(maintainer, `GET /v2/${shop}/tags/list`),
  },
  {
    door: 'DELETE of its tag',
    live: 202,
    reached: 202,
    ask: ({ maintainer }, { tag }) => http(maintainer, `DELETE ${manifests}/${tag}`),
  },
  // Of what is reached no index could be pushed.
  { door: 'DELETE of what an available index names', live: '405 UNSUPPORTED', ask: remove },
  {
    door: 'DELETE of the indexes',
    live: 202,
    ask: async ({ maintainer }, { top }) => {
      await http(maintainer, `DELETE ${manifests}/${namingIt(top, 'ociIndex').digest}`);
      return http(maintainer, `DELETE ${manifests}/${namingIt(top, 'dockerIndex').digest}`);
    },
  },
  { door: 'DELETE of the manifest', live: 202, reached: 202, ask: remove },
  {
    door: 'GET by digest, once deleted',
    live: '404 MANIFEST_UNKNOWN',
    reached: '404 MANIFEST_UNKNOWN',
    ask: ({ reader }, { top }) => http(reader, `GET ${manifests}/${top.digest}`),
  },
];

function remove({ maintainer }: Doors, { top }: Named): Promise<Response> {
  return http(maintainer, `DELETE ${manifests}/${top.digest}`);
}

function namingIt(top: Content, type: 'ociIndex' | 'dockerIndex'): Content {
  return indexOf(mediaTypes[type], [descriptor(top)]);
}

function put(client: Client, tag: string, { bytes, mediaType }: Content): Promise<Response> {
  const headers = { 'content-type': mediaType };
  return http(client, `PUT ${manifests}/${tag}`, { body: bytes, headers });
}

/** Its blobs are here already. */
function sbomOf(subject: Content): Content {
  return artefactOf(subject.digest, descriptor(subject)).manifest;
}

export function manifestDoors(arranged: Arrangement, world: () => DoorWorld): void {
  for (const shape of shapes)
    for (const marked of [undefined, ...shape.needs]) cellsOf(arranged, world, { shape, marked });
}

interface Place {
  readonly shape: Shape;
  /** The part that carries the mark; undefined: live. */
  readonly marked: string | undefined;
}

function cellsOf(arranged: Arrangement, world: () => DoorWorld, { shape, marked }: Place): void {
  const tag = slug(`${shape.name} ${marked ?? 'live'}`);
  const named = { ...shape.build(`${shape.name} ${marked}`), tag };
  arranged.push(shop, named.contents, tag);
  const sbom = artefactOf(named.top.digest, descriptor(named.top));
  arranged.push(shop, [sbom.config, sbom.layer]);
  const part = marked === undefined ? undefined : named.parts[marked];
  if (part) arranged.mark(part);
  const what = marked === undefined ? `${shape.name}, live` : `${shape.name}, ${marked} marked`;
  const cellOf = (row: ManifestDoor) => (marked === undefined ? row.live : row.reached);
  for (const region of regionNames)
    for (const row of pulls) {
      const cell = cellOf(row);
      if (cell === undefined) continue;
      it(`${row.door}: ${what}, at ${region}: ${cell}`, async () => {
        const response = await row.ask(world()[region], named);
        await expectAnswer(response, { row, cell, named, reached: marked !== undefined });
      });
    }
  for (const row of changes) {
    const cell = cellOf(row);
    if (cell !== undefined)
      it(`${row.door}: ${what}, at home: ${cell}`, async () => {
        await expectCell(await row.ask(world().home, named), cell);
      });
  }
  it(`changes at a replica: ${what}: home is named`, async () => {
    const { replica } = world();
    await expectSentHome(await put(replica.maintainer, 'again', named.top), world());
    await expectSentHome(await remove(replica, named), world());
  });
}

interface Expected {
  readonly row: ManifestDoor;
  readonly cell: Cell;
  readonly named: Named;
  readonly reached: boolean;
}

async function expectAnswer(response: Response, { row, cell, named, reached }: Expected): Promise<void> {
  const { headers } = response;
  expect(headers.get('warning')).toEqual(
    row.warns && reached ? `299 - "quarantined (Q-1): ${reason}"` : null,
  );
  if (row.serves && statusOf(cell) === 200) {
    const { size, digest, mediaType } = named.top;
    expect([headers.get('content-length'), headers.get('docker-content-digest')]).toEqual([
      `${size}`,
      digest,
    ]);
    expect(headers.get('content-type')).toBe(mediaType);
  }
  if (row.serves === 'body' && !reached) await expectBytes(response, named.top);
  else if (row.door.startsWith('HEAD')) expect(response.status).toBe(statusOf(cell));
  else await expectCell(response, cell);
}

const tokens = new Map<string, Promise<Client>>();

function tokenFor(client: Client, actions: string): Promise<Client> {
  const key = `${client.url} ${actions}`;
  const known = tokens.get(key) ?? tokenIssued(client, actions);
  tokens.set(key, known);
  return known;
}

async function tokenIssued(client: Client, actions: string): Promise<Client> {
  const answer = await http(client, `GET /v2/token?scope=repository:${shop}:${actions}`);
  const { token }: { token: string } = JSON.parse(await answer.text());
  return { url: client.url, credentials: { kind: 'bearer', token } };
}
