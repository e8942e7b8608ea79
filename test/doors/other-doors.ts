/** The doors that no client of the distribution API stands before: replication and launch. */
import { expect, it } from 'vitest';
import { regionPrincipal } from '../../src/actions/access/peer-principals.ts';
import { lazaret } from '../support/command-line.ts';
import { http } from '../support/http.ts';
import { expectBytes } from './answers.ts';
import { blobKinds, blobOf, manifestNaming, shapes } from './content.ts';
import { type Arrangement, type Column, columns, type DoorWorld } from './world.ts';

const shop = 'acme/offered';

const offered: Readonly<Record<Column, number>> = { live: 200, condemned: 404, reached: 403 };

/** To the region that follows. */
export function replicationDoors(arranged: Arrangement, world: () => DoorWorld): void {
  for (const kind of blobKinds)
    for (const column of columns) {
      const blob = blobOf(kind, `offered ${kind.name} ${column}`);
      const { manifest, other } = manifestNaming(kind, blob);
      arranged.push(shop, [blob, other, manifest]);
      if (column === 'condemned') arranged.delete(shop, manifest);
      arranged.place(column, blob);
      it(`replication of ${kind.name}, ${column}: ${offered[column]}`, async () => {
        const { url } = world().home.server;
        const credentials = {
          kind: 'basic',
          username: regionPrincipal('replica'),
          password: 'both-know-this-secret',
        } as const;
        const path = `/api/v1/replication/blobs/${blob.digest}?repository=${shop}&from=0`;
        const answer = await http({ url, credentials }, `GET ${path}`);
        if (column === 'live') await expectBytes(answer, blob);
        else expect(answer.status).toBe(offered[column]);
      });
    }
}

/** Of an image to an instance. */
export function launchDoors(arranged: Arrangement, world: () => DoorWorld): void {
  for (const [at, shape] of shapes.entries()) {
    if (!shape.needs.includes('config') || shape.needs.includes('child')) continue;
    for (const column of ['live', 'reached'] as const) {
      const named = shape.build(`launched ${shape.name} ${column}`);
      const tag = `${column}-${at}`;
      arranged.push('acme/launched', named.contents, tag);
      if (column === 'reached') arranged.mark(named.parts.layer ?? named.top);
      it(`launch of ${shape.name}, ${column}`, async () => {
        const { admin } = world().home.server;
        const instance = `machine-${column}-${at}`;
        await lazaret(admin, 'instance', 'add', instance, '--account', 'acme');
        const create = {
          name: `run-${column}-${at}`,
          account: 'acme',
          reference: `acme/launched:${tag}`,
          region: 'home',
          instance,
        };
        const headers = { 'content-type': 'application/json' };
        const answer = await http(admin, 'POST /api/v1/deployments', {
          headers,
          body: JSON.stringify(create),
        });
        expect(answer.status).toBe(column === 'live' ? 200 : 403);
      });
    }
  }
}
