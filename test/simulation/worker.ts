/**
 * One process of a run: simulates the seeds that it is told of and writes one line of JSON for each. A fault is planted
 * before anything of the product is loaded.
 *
 *     worker.ts FROM END STRIDE STEPS [FAULT]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plantFault } from './plant-fault.ts';
import { scratchFolder } from './scratch.ts';

const [from = 1, end = 1, stride = 1, steps = 150] = process.argv.slice(2, 6).map(Number);
const fault = process.argv[6];
if (fault !== undefined) plantFault(fault);
const { simulate } = await import('./simulate.ts');
const { Databases } = await import('./databases.ts');

const folder = mkdtempSync(join(scratchFolder(tmpdir()), 'lazaret-simulation-'));
const remove = () => rmSync(folder, { recursive: true, force: true });
process.on('SIGTERM', () => {
  remove();
  process.exit(1);
});
try {
  const databases = await Databases.open(folder);
  for (let seed = from; seed <= end; seed += stride) {
    const { failure, trace, steps: taken } = await simulate(seed, steps, databases);
    process.stdout.write(`${JSON.stringify({ seed, taken, ...(failure ? { failure, trace } : {}) })}\n`);
    if (failure !== undefined && fault !== undefined) break;
  }
  await databases.close();
} finally {
  remove();
}
