/**
 * What a reading process runs. Its parent tells it everything and ends it; a signal that a terminal or a service manager
 * sends to the whole group is for the parent. When the parent is gone, so is this at once: nothing is left behind.
 */
import assert from 'node:assert/strict';
import { keepCompiled } from '../../lib/compile-cache.ts';
import { causeChain } from '../../lib/errors.ts';
import { Link, type Port } from './link.ts';
import type { ReaderVerbs, WriterVerbs } from './verbs.ts';

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('disconnect', () => process.exit());
keepCompiled();

const reader = start();
const writer = new Link<WriterVerbs, ReaderVerbs>(parentPort(), {
  committed: async (value) => (await reader).committed(value),
  ready: async (value) => (await reader).ready(value),
  metrics: async (value) => (await reader).metrics(value),
  reload: async (value) => (await reader).reload(value),
  close: async (value) => (await reader).close(value),
});

async function start(): Promise<ReaderVerbs> {
  const { startReader } = await import('./reader.ts');
  try {
    const started = await startReader(await writer.ask('plan', null), writer);
    await writer.ask('serving', null);
    return started;
  } catch (error) {
    await writer.ask('failed', causeChain(error));
    return process.exit(1);
  }
}

function parentPort(): Port {
  assert(process.send, 'runs as a child process only');
  return process as Port;
}
