/** `lazaret serve` that is asked to end: nobody new is let in, and whoever is there may come to the end. */
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { describe, expect, it, vi } from 'vitest';
import { digestOf } from '../../src/oci/digest.ts';
import { Connection, connectionToEach } from '../support/connections.ts';
import { pushBlob } from '../support/distribution-world.ts';
import { patience, type Serving, startServing } from '../support/serve.ts';

/** More than the buffers between the two sides hold. */
const content = Buffer.alloc(32 * 1024 * 1024, 'more than the buffers between hold');
const blob = `/v2/default/shop/blobs/${digestOf(content)}`;

async function connections(serving: Serving, processes: number): Promise<readonly Connection[]> {
  return processes > 1 ? connectionToEach(serving) : [new Connection(serving.admin)];
}

async function started(environment: Readonly<Record<string, string>>): Promise<Serving> {
  const serving = await startServing(environment);
  await pushBlob(serving.admin, 'default/shop', String(content));
  return serving;
}

async function askedToEnd(serving: Serving): Promise<void> {
  serving.process.kill('SIGTERM');
  const asking = () => fetch(`${serving.admin.url}/livez`);
  await vi.waitFor(() => expect(asking()).rejects.toThrow('fetch failed'), patience);
}

async function sizeOf(answer: IncomingMessage): Promise<number> {
  return Buffer.concat(await answer.toArray()).length;
}

describe.each([1, 2])('a server of %i processes that is asked to end', (processes) => {
  const environment = { LAZARET_HTTP_PROCESSES: String(processes) };

  it('lets pushes and pulls come to their end, refuses new connections, and exits with 0', async () => {
    const serving = await started(environment);
    try {
      const pulls = await Promise.all(
        (await connections(serving, processes)).map((each) => each.begin(`GET ${blob}`)),
      );
      const pushes = await Promise.all(
        (await connections(serving, processes)).map(async (each) => {
          const { headers } = await each.ask('POST /v2/default/shop/blobs/uploads/');
          return each.beginBody(`PATCH ${headers.location}`, Buffer.from('half'), 8);
        }),
      );
      const exited = once(serving.process, 'exit');
      await askedToEnd(serving);
      expect(await Promise.all(pushes.map((rest) => rest(Buffer.from('half'))))).toEqual(
        pushes.map(() => 202),
      );
      expect(await Promise.all(pulls.map(sizeOf))).toEqual(pulls.map(() => content.length));
      await exited;
      expect(serving.process.exitCode).toBe(0);
    } finally {
      await serving.close();
    }
  });

  it('cuts what has not come to its end by then', async () => {
    const serving = await started({ ...environment, LAZARET_HTTP_DRAIN: '1s' });
    try {
      const pulls = await Promise.all(
        (await connections(serving, processes)).map((each) => each.begin(`GET ${blob}`)),
      );
      const exited = once(serving.process, 'exit');
      await askedToEnd(serving);
      await exited;
      expect(serving.process.exitCode).toBe(0);
      for (const end of await Promise.allSettled(pulls.map(sizeOf))) expect(end.status).toBe('rejected');
    } finally {
      await serving.close();
    }
  });
});
