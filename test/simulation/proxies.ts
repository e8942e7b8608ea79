/** The stores of a simulated process as one operation sees them: every call stops at the scheduler's gate. */
import type { KyselyPlugin } from 'kysely';
import type { BlobStore } from '../../src/blobs/blob-store.ts';
import type { Clock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { logHead } from '../../src/records/log/log.ts';
import type { SimulatedDisk } from './disk.ts';
import type { Operation, Scheduler } from './scheduler.ts';

/** Those who wait for a commit in a region. */
export type CommitListeners = Set<() => void>;

export function gatedDatabase(
  scheduler: Scheduler,
  op: Operation,
  { database, listeners }: { database: Database; listeners: CommitListeners },
): Database {
  const read = database.read.withPlugin(readGate(scheduler, op));
  return {
    engine: database.engine,
    onDisk: async () => {}, // each transaction of the simulation ends before anybody goes on
    read,
    nowMs: () => database.nowMs(),
    logHead: () => logHead(read),
    transact: async (work) => {
      const emitted: string[] = [];
      return scheduler.call(op, 'transaction', async () => {
        op.inTransaction += 1;
        op.onTransaction?.();
        try {
          return await database.transact((tx) => {
            const { emit } = tx;
            return work({
              ...tx,
              emit: (event) => {
                emitted.push(event.type);
                emit(event);
              },
            });
          });
        } finally {
          op.inTransaction -= 1;
          if (emitted.length > 0) scheduler.say(`      ${emitted.join(', ')}`);
          for (const listener of listeners) listener();
        }
      });
    },
    search: async (query) => (await read.executeQuery(query)).rows,
    onCommit: (listener) => {
      op.onDeath.add(() => listeners.delete(listener));
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: async () => {},
  };
}

function readGate(scheduler: Scheduler, op: Operation): KyselyPlugin {
  return {
    transformQuery: ({ node }) => node,
    transformResult: async ({ result }) => {
      await scheduler.read(op, 'read');
      return result;
    },
  };
}

/** The bytes of an append come one chunk at a time, and the process may die between two. */
export function gatedStore(
  scheduler: Scheduler,
  op: Operation,
  { store, disk }: { store: BlobStore; disk: SimulatedDisk },
): BlobStore {
  const short = (key: string) => key.slice(-6);
  return {
    append: (key, offset, source, options) =>
      scheduler.call(op, `append ${short(key)} at ${offset}`, () =>
        disk.appending({ process: op.process, key, offset }, chunkByChunk(scheduler, op, source), (chunks) =>
          store.append(key, offset, chunks, options),
        ),
      ),
    length: async (key) => {
      const length = await store.length(key);
      await scheduler.read(op, `length ${short(key)}`);
      return length;
    },
    commit: (key) => scheduler.call(op, `commit ${short(key)}`, () => store.commit(key)),
    read: (key, range, signal) =>
      scheduler.call(op, `open ${short(key)}`, () => store.read(key, range, signal)),
    delete: (keys) =>
      scheduler.call(op, `delete ${keys.map(short).join(' ')}`, async () => {
        await store.delete(keys);
        disk.deleted(keys);
      }),
    list: (signal) => store.list(signal),
    notes: {
      put: (name, text) => scheduler.call(op, `note ${name}`, () => store.notes.put(name, text)),
      get: async (name) => {
        const text = await store.notes.get(name);
        await scheduler.read(op, `note ${name}`);
        return text;
      },
      names: (prefix) => store.notes.names(prefix),
    },
    close: async () => {},
  };
}

async function* chunkByChunk(scheduler: Scheduler, op: Operation, source: AsyncIterable<Uint8Array>) {
  for await (const chunk of source) {
    await scheduler.read(op, 'a chunk');
    yield chunk;
  }
}

export function gatedClock(scheduler: Scheduler, op: Operation): Clock {
  return {
    wallMs: () => scheduler.wallMs,
    bootMs: () => scheduler.nowMs,
    sleep: (ms, signal) => scheduler.sleep(op, ms, signal),
  };
}
