/**
 * Forked by memory.ts, for one layer, which one worker reads. Tells how much memory that took at most, above what the
 * process had before there was a worker. Its rows are not kept: that is the server's memory, however many workers it has.
 */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { createInspectPool } from '../../src/actions/inspect/pool.ts';
import { openBlobStore } from '../../src/blobs/drivers.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { processMemory } from '../process-memory.ts';
import { region, storeIn } from './layer-store.ts';

const [folder = '', key = ''] = process.argv.slice(2);
const blobStore = storeIn(folder);
await (await openBlobStore(blobStore, region)).close();
const { residentMb } = await processMemory(process.pid);
const [beganMs, cpu] = [performance.now(), process.cpuUsage()];
const pool = createInspectPool({ size: 1, blobStore, region, clock: systemClock, spoolFolder: folder });
const fingerprintKey = { version: 1, key: randomBytes(32) };
let said = { state: '', reason: '' };
for await (const part of pool.inspect(key, { fingerprintKey }))
  if (part.kind === 'summary') {
    const { state, reason, extractions } = part.summary;
    said = { state, reason: reason ?? extractions.find((one) => one.state === 'unknown')?.reason ?? '' };
  }
const { user, system } = process.cpuUsage(cpu);
const { peakMb } = await processMemory(process.pid);
assert(process.send, 'is forked');
process.send({
  ...said,
  aboveMb: peakMb - residentMb,
  ms: performance.now() - beganMs,
  cpuMs: (user + system) / 1e3,
});
await pool.close();
