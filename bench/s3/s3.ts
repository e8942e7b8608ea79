/**
 * A server whose bytes are in S3: how fast it collects, and takes and gives a layer. The S3 server is the tests' own, on
 * this machine with its data in memory, so the network and the disks of a real one are not in the figures.
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { join } from 'node:path';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import BetterSqlite3 from 'better-sqlite3';
import { request } from 'undici';
import { authorization, type Client, call } from '../../src/client/client.ts';
import { gcRun } from '../../src/contract/collection.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { startRadosgw } from '../../test/support/radosgw.ts';
import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtLeast } from '../figures.ts';
import { type OneServer, withFreshServer } from '../one-server.ts';

const rounds = 3;
const strays = 1_000;
const strayBytes = 4_096;
const pushesAtOnce = 32;
const collectedPerSecond = 200;
const layerBytes = 64 * 1024 * 1024;
const bucket = 'lazaret-bench';

export const s3: Benchmark = {
  name: 's3',
  summary: 'bytes in S3: collection, push and pull of a layer',
  measure: measureS3,
};

async function* measureS3(options: BenchOptions): AsyncGenerator<Figure> {
  const { stop, ...account } = await startRadosgw();
  try {
    const { endpoint, ...credentials } = account;
    const client = new S3Client({ endpoint, credentials, region: 'us-east-1', forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: bucket }));
    client.destroy();
    const settings = {
      LAZARET_BLOBS_KIND: 's3',
      LAZARET_BLOBS_ENDPOINT: endpoint,
      LAZARET_BLOBS_BUCKET: bucket,
      LAZARET_BLOBS_ACCESS_KEY_ID: credentials.accessKeyId,
      LAZARET_BLOBS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    };
    yield* await withFreshServer(options, (server) => figuresOf(server, options), settings);
  } finally {
    await stop();
  }
}

async function figuresOf(server: OneServer, { say, signal }: BenchOptions): Promise<Figure[]> {
  const client = { url: server.url, credentials: server.admin };
  const collection: number[] = [];
  say(`collection: ${rounds} times ${strays} blobs`);
  for (let round = 0; round < rounds; round += 1) collection.push(await collected(client, server, signal));
  const rates: { push: number[]; pull: number[] } = { push: [], pull: [] };
  say(`push and pull: ${rounds} layers of 64 MB`);
  for (let round = -1; round < rounds; round += 1) {
    const { push, pull } = await transferred(client, signal);
    if (round < 0) continue; // warms up
    rates.push.push(push);
    rates.pull.push(pull);
  }
  const where = 'radosgw on this machine, in memory';
  return [
    figureAtLeast(collectedPerSecond, {
      name: 'collection on S3',
      unit: 'blobs/s',
      samples: collection,
      note: `${strays} blobs of ${strayBytes} bytes; from POST /api/v1/gc until nothing waits; ${where}`,
    }),
    figure({ name: 'push of a 64 MB layer to S3', unit: 'MB/s', samples: rates.push, note: where }),
    figure({ name: 'pull of a 64 MB layer from S3', unit: 'MB/s', samples: rates.pull, note: where }),
  ];
}

/** Blobs pushed that nothing needs, made due by hand. @returns how many a second went */
async function collected(client: Client, { data }: OneServer, signal: AbortSignal): Promise<number> {
  let left = strays;
  const push = async () => {
    while (left > 0) {
      left -= 1;
      await pushed(client, randomBytes(strayBytes), signal);
    }
  };
  await Promise.all(Array.from({ length: pushesAtOnce }, push));
  const rows = new BetterSqlite3(join(data, 'metadata.sqlite'));
  try {
    rows.exec('delete from holds; update review_queue set changed_at = 0');
    const beganMs = performance.now();
    // The server's own task may take a part, so it is over when nothing waits any more.
    const waiting = rows.prepare<[], { n: number }>(
      'select (select count(*) from review_queue) + (select count(*) from condemned_keys) as n',
    );
    while ((waiting.get()?.n ?? 0) > 0) await call(client, gcRun, {}, { signal });
    return (strays / (performance.now() - beganMs)) * 1000;
  } finally {
    rows.close();
  }
}

async function transferred(client: Client, signal: AbortSignal): Promise<{ push: number; pull: number }> {
  const bytes = randomFillSync(Buffer.allocUnsafeSlow(layerBytes));
  const pushBegan = performance.now();
  const path = await pushed(client, bytes, signal);
  const pullBegan = performance.now();
  const headers = authorization(client.credentials);
  const { statusCode, body } = await request(new URL(path, client.url), { headers, signal });
  let pulledBytes = 0;
  for await (const chunk of body) pulledBytes += chunk.length;
  if (statusCode !== 200 || pulledBytes !== layerBytes) throw new Error(`a pull ended with ${statusCode}`);
  const rateOf = (ms: number) => layerBytes / 1e3 / ms;
  return { push: rateOf(pullBegan - pushBegan), pull: rateOf(performance.now() - pullBegan) };
}

/** @returns its path */
async function pushed(client: Client, bytes: Buffer, signal: AbortSignal): Promise<string> {
  const digest = digestOf(bytes);
  const url = new URL(`/v2/bench/blobs/uploads/?digest=${digest}`, client.url);
  const headers = { ...authorization(client.credentials), 'content-length': String(bytes.byteLength) };
  const { statusCode, body } = await request(url, { method: 'POST', headers, body: bytes, signal });
  await body.dump();
  if (statusCode !== 201) throw new Error(`a push ended with ${statusCode}`);
  return `/v2/bench/blobs/${digest}`;
}
