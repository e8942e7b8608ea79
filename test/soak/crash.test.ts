/**
 * A short soak: a storm of pushes that share layers, with deletes and quarantines among them; servers killed with SIGKILL at
 * moments that a seed chooses, and started again. Then nothing that was acknowledged is lost (P4), all that is in service
 * is whole (P1), and once the graces are over no byte is left that nothing needs. `npm run soak` does it for longer.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freshDatabase } from '../support/postgres.ts';
import { s3Server } from '../support/s3-server.ts';
import { type SoakAsk, soak } from './soak.ts';

/** Most of it the servers' starts, and the graces at the end. */
const atMostMs = 240_000;
const chaos = { pauseMs: { least: 0, more: 400 }, pushes: 5, downMs: 300, kills: 3 };
const bucket = await s3Server();

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'crash-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }), atMostMs);

describe('servers that are killed in a storm of pushes lose nothing, and leave nothing behind', () => {
  test.concurrent('SQLite', () => stormy('sqlite'), atMostMs);

  test.concurrent(
    'PostgreSQL, three servers',
    async () => {
      const { url, drop } = await freshDatabase();
      await stormy('postgres', { database: url }).finally(drop);
    },
    atMostMs,
  );

  if ('missing' in bucket) test.skip(`blobs in S3 (skipped: ${bucket.missing})`, () => {});
  else test.concurrent('blobs in S3', () => stormy('s3', { bucket: bucket.place() }), atMostMs);
});

async function stormy(engine: SoakAsk['engine'], running: SoakAsk['running'] = {}): Promise<void> {
  const own = join(folder, engine);
  await mkdir(own);
  const { signal } = new AbortController();
  const ended = await soak({
    ...{ engine, running, folder: own, signal, chaos },
    ...{ seed: 20_261, minutes: 2, realClients: false },
  });
  expect(ended).toMatchObject({ violations: [], broken: 0, leakedKeys: 0, leakedBytes: 0, uploads: 0 });
  expect(ended.kills).toBeGreaterThanOrEqual(chaos.kills);
  expect(ended.counts.pushes).toBeGreaterThanOrEqual(chaos.pushes * chaos.kills);
  expect(ended.verified).toBeGreaterThan(0);
}
