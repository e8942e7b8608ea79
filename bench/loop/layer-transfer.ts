/**
 * Push and pull of one large blob that does not compress, as a registry's client does it, against the plainest server
 * that hashes and flushes the same bytes. Both are processes of their own on the same disk, asked in turn by the same
 * client, so what the machine can't do neither can; the ratio says what is ours.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import { authorization, call } from '../../src/client/client.ts';
import { accountCreate } from '../../src/contract/access.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure } from '../figures.ts';
import { type OneServer, withFreshServer } from '../one-server.ts';
import { processMemory } from '../process-memory.ts';

const rounds = 5;
const layerBytes = 256 * 1024 * 1024;

interface Rates {
  /** Of each round, in MB/s (10⁶ bytes). */
  readonly push: number[];
  readonly pull: number[];
}

export async function* measureLayerTransfer(options: BenchOptions): AsyncGenerator<Figure> {
  options.say(`push and pull: ${rounds} layers of 256 MB, and the same to a plain server`);
  const ours: Rates = { push: [], pull: [] };
  const plain: Rates = { push: [], pull: [] };
  const memory = await withFreshServer(options, async (server) => {
    await using beside = await startPlainServer(options.folder);
    await openAccount(server, options.signal);
    const bytes = randomFillSync(Buffer.allocUnsafeSlow(layerBytes));
    for (let round = -1; round < rounds; round += 1) {
      randomFillSync(bytes, 0, 64); // another layer each time, so that no round finds it there
      const theirs = await transferPlain(beside.url, bytes, options.signal);
      const own = await transfer(server, bytes, options.signal);
      if (round < 0) continue; // the first warms up
      for (const kind of ['push', 'pull'] as const) {
        plain[kind].push(theirs[kind]);
        ours[kind].push(own[kind]);
      }
    }
    return processMemory(server.pid);
  });
  yield* compared('push', { ours: ours.push, plain: plain.push });
  yield* compared('pull', { ours: ours.pull, plain: plain.pull });
  yield figure({
    name: 'memory of a server after pushes and pulls',
    unit: 'MB',
    samples: [memory.residentMb],
    note: `resident set right after the ${rounds + 1} layers above`,
  });
}

function* compared(
  kind: 'push' | 'pull',
  { ours, plain }: { readonly ours: readonly number[]; readonly plain: readonly number[] },
): Generator<Figure> {
  const how = {
    push: 'from POST to the 201 of the closing PUT: hashed, flushed to disk, recorded',
    pull: 'read to its end by its digest; the file is in the page cache',
  }[kind];
  const layer = 'a 256 MB layer (2²⁸ random bytes)';
  yield figure({ name: `${kind} of a 256 MB layer`, unit: 'MB/s', samples: ours, note: `${layer}, ${how}` });
  const does = { push: 'hashes with sha256 and flushes to a file', pull: 'sends a file' }[kind];
  const speeds = plain.map((each) => Math.round(each)).sort((a, b) => a - b);
  yield figure({
    name: `${kind}, against a plain server`,
    unit: '×',
    samples: ours.map((rate, round) => rate / (plain[round] ?? Number.NaN)),
    note:
      `the same bytes to a node:http server that only ${does}, in turn with ours, on the same disk: ` +
      `${speeds.at(0)} to ${speeds.at(-1)} MB/s; over 1 we are faster`,
  });
}

const account = 'bench';

async function openAccount({ url, admin }: OneServer, signal: AbortSignal): Promise<void> {
  await call({ url, credentials: admin }, accountCreate, { body: { name: account } }, { signal });
}

/** Pushes and pulls a blob, as a client of a registry does. */
async function transfer({ url, admin }: OneServer, bytes: Buffer, signal: AbortSignal) {
  const headers = authorization(admin);
  const digest = digestOf(bytes);
  const blobs = `${url}/v2/${account}/layer/blobs`;
  const push = await timed(async () => {
    const begun = await answered(`${blobs}/uploads/`, { method: 'POST', headers, signal });
    const upload = new URL(String(begun.headers.location), url);
    upload.searchParams.set('digest', digest);
    const type = { 'content-type': 'application/octet-stream' };
    const options = { method: 'PUT', headers: { ...headers, ...type }, body: bytes, signal } as const;
    await (await answered(upload.href, options)).body.dump();
  });
  const pull = await timed(() => readAll(`${blobs}/${digest}`, { headers, signal }));
  return { push, pull };
}

async function transferPlain(url: string, bytes: Buffer, signal: AbortSignal) {
  const push = await timed(async () => {
    await (await answered(url, { method: 'PUT', body: bytes, signal })).body.dump();
  });
  const pull = await timed(() => readAll(url, { signal }));
  return { push, pull };
}

/** @returns MB/s */
async function timed(work: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await work();
  return layerBytes / 1e3 / (performance.now() - startedMs);
}

type RequestOptions = NonNullable<Parameters<typeof request>[1]>;

async function readAll(url: string, options: RequestOptions): Promise<void> {
  let received = 0;
  for await (const chunk of (await answered(url, options)).body) received += chunk.length;
  if (received !== layerBytes) throw new Error(`${url} sent ${received} bytes`);
}

async function answered(url: string, options: RequestOptions) {
  const response = await request(url, options);
  if (response.statusCode >= 300)
    throw new Error(`${url} answered ${response.statusCode}: ${await response.body.text()}`);
  return response;
}

interface PlainServer extends AsyncDisposable {
  readonly url: string;
}

async function startPlainServer(folder: string): Promise<PlainServer> {
  const plainFolder = join(folder, 'plain');
  await mkdir(plainFolder, { recursive: true });
  const program = fileURLToPath(new URL('./plain-server.ts', import.meta.url));
  const child = fork(program, [join(plainFolder, 'layer')]);
  const [address]: unknown[] = await once(child, 'message');
  const port =
    typeof address === 'object' && address !== null && 'port' in address ? address.port : undefined;
  return { url: `http://127.0.0.1:${port}`, [Symbol.asyncDispose]: () => ended(child) };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.disconnect();
  await once(child, 'exit');
}
