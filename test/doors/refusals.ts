/** What a refusal tells, to whom, and that it is counted. */
import { expect, it } from 'vitest';
import type { Client } from '../../src/client/client.ts';
import { lazaret } from '../support/command-line.ts';
import { http } from '../support/http.ts';
import { slug } from './answers.ts';
import { type Pushed, shapes } from './content.ts';
import { type Arrangement, type DoorWorld, reason, regionNames, ticket } from './world.ts';

const shop = 'acme/told';

export function refusalsTold(arranged: Arrangement, world: () => DoorWorld): void {
  for (const shape of shapes) {
    const named = shape.build(`told ${shape.name}`);
    const tag = slug(shape.name);
    const layer = named.parts.layer ?? named.top;
    arranged.push(shop, named.contents, tag);
    arranged.mark(layer);
    const everything = {
      quarantine: 'Q-1',
      reason,
      ticket,
      author: 'sam',
      cause: 'sam',
      marked: layer.digest,
    };
    for (const region of regionNames) {
      it(`a refusal of ${shape.name} at ${region} tells who, why, of what and where it is discussed`, async () => {
        const refusal = await refused(world()[region].reader, `GET /v2/${shop}/manifests/${tag}`);
        expect(refusal?.detail).toEqual(everything);
        expect(refusal?.message).toBe(`quarantined by sam (Q-1, ${ticket}): ${reason}`);
      });
      it(`a refusal of ${shape.name} at ${region} tells a guest its name and reason`, async () => {
        for (const path of [`manifests/${tag}`, `manifests/${named.top.digest}`, `blobs/${layer.digest}`])
          expect(await refused(world()[region].guest, `GET /v2/${shop}/${path}`)).toEqual(told);
      });
    }
    it(`a refusal of ${shape.name} is counted, by whatever name it was asked for`, async () => {
      await countedOnce(world(), named, tag);
    });
  }

  it('a mount tells a guest of where it is mounted from no more', async () => {
    const [shape] = shapes;
    const layer = shape?.build(`told ${shape.name}`).parts.layer;
    const line = `POST /v2/globex/app/blobs/uploads/?mount=${layer?.digest}&from=${shop}`;
    expect(await refused(world().home.guest, line)).toEqual(told);
  });
}

const told = {
  code: 'DENIED',
  message: `quarantined (Q-1): ${reason}`,
  detail: { quarantine: 'Q-1', reason },
};

async function refused(client: Client, line: string) {
  const response = await http(client, line);
  expect(response.status).toBe(403);
  const body: { errors: { message: string; detail: Record<string, unknown> }[] } = JSON.parse(
    await response.text(),
  );
  return body.errors[0];
}

async function countedOnce({ home }: DoorWorld, { top, parts }: Pushed, tag: string): Promise<void> {
  const { server, reader, maintainer } = home;
  const layer = parts.layer ?? top;
  const refusals = () => refusalsOf(home, [top.digest, layer.digest]);
  await server.drain();
  const before = await refusals();
  const asked = [
    [reader, `GET /v2/${shop}/manifests/${tag}`],
    [reader, `HEAD /v2/${shop}/manifests/${top.digest}`],
    [reader, `GET /v2/${shop}/blobs/${layer.digest}`],
    [maintainer, `POST /v2/acme/elsewhere/blobs/uploads/?mount=${layer.digest}&from=${shop}`],
  ] as const;
  for (const [client, line] of asked) expect((await http(client, line)).status).toBe(403);
  const closing = { body: layer.bytes };
  const line = `POST /v2/${shop}/blobs/uploads/?digest=${layer.digest}`;
  expect((await http(maintainer, line, closing)).status).toBe(403);
  await server.drain();
  expect((await refusals()) - before).toBe(asked.length + 1);
}

async function refusalsOf({ server }: DoorWorld['home'], digests: readonly string[]): Promise<number> {
  const rows = await server.context.database.read
    .selectFrom('ledger')
    .select('count')
    .where('digest', 'in', digests)
    .where('verdict', '=', 'refused')
    .execute();
  return rows.reduce((sum, row) => sum + Number(row.count), 0);
}

/** Role security, and nobody else, may look into what is refused. */
export function forensics(arranged: Arrangement, world: () => DoorWorld): void {
  const [shape] = shapes;
  const named = shape?.build('looked into');
  if (!named) return;
  const layer = named.parts.layer ?? named.top;
  arranged.push(shop, named.contents, 'evidence');
  arranged.mark(layer);
  const line = `GET /api/v1/forensics/blobs/${layer.digest}?repository=${shop}`;

  it('the bytes of what is refused go to role security alone, and that is an event', async () => {
    const { home } = world();
    for (const client of [home.maintainer, home.reader, home.guest])
      expect((await http(client, line)).status).toBe(403);
    expect((await http({ url: home.server.url }, line)).status).toBe(401);
    const read = await http(home.security, line);
    expect([read.status, Buffer.from(await read.arrayBuffer()).equals(layer.bytes)]).toEqual([200, true]);
    const { text } = await lazaret(home.security, 'events', '-o', 'json');
    const events = text.split('\n').filter((event) => event.includes('forensics.read'));
    expect(events).toEqual([expect.stringContaining(layer.digest)]);
    expect(events).toEqual([expect.stringMatching(/"actor":"sam"/)]);
  });
}
