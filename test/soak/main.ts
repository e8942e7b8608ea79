/**
 * Runs real servers under a storm of real clients, for as long as asked, and proves that nothing was lost and nothing leaks.
 *
 *     npm run soak -- --minutes 30                       both engines, at the same time
 *     npm run soak -- --minutes 2 --engine sqlite        one server; or postgres: three servers on one database;
 *                                                        or s3: one server that keeps blobs in a real S3 server
 *     npm run soak -- --seed 7                           the choices of another run, as far as real time allows
 *
 * Ends with 1 if anything was broken, leaked, or not as promised. Nothing is left behind, also after Ctrl-C.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { interruption } from '../../demo/interruption.ts';
import { type Soaked, soak } from './soak.ts';
import type { Engine } from './storm.ts';
import { table } from './table.ts';

/** A kill every ten seconds or so. */
const chaos = { pauseMs: { least: 4_000, more: 12_000 }, pushes: 0, downMs: 1_000, kills: Infinity };

process.exit(await main());

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '2' },
      engine: { type: 'string', default: 'both' },
      seed: { type: 'string' },
    },
  });
  const engines = enginesOf(values.engine);
  const minutes = Number(values.minutes);
  const seed = values.seed === undefined ? Date.now() % 1_000_000 : Number(values.seed);
  if (!engines || !(minutes > 0) || !Number.isInteger(seed)) {
    console.error('usage: npm run soak -- [--minutes N] [--engine sqlite|postgres|s3|both] [--seed S]');
    return 1;
  }
  console.log(`soak: ${minutes} min on ${engines.join(' and ')}, seed ${seed}`);
  const { signal, exitCode } = interruption((name) => console.error(`\n${name}: ending everything …`));
  // Short, since podman takes a run folder of at most 50 characters.
  const folder = await mkdtemp(join(tmpdir(), 'soak-'));
  try {
    const ended = await Promise.allSettled(
      engines.map(async (engine): Promise<Soaked> => {
        const own = join(folder, { sqlite: 's', postgres: 'p', s3: 'o' }[engine]);
        await mkdir(own);
        return soak({ engine, seed, minutes, chaos, realClients: true, folder: own, signal });
      }),
    );
    const failed = ended.filter((each) => each.status === 'rejected');
    if (!signal.aborted) for (const { reason } of failed) console.error(reason);
    const soaked = ended.filter((each) => each.status === 'fulfilled').map((each) => each.value);
    if (soaked.length > 0) console.log(table(soaked));
    return exitCode() ?? (failed.length > 0 || soaked.some(isBad) ? 1 : 0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function enginesOf(word: string): readonly Engine[] | undefined {
  if (word === 'both') return ['sqlite', 'postgres'];
  return word === 'sqlite' || word === 'postgres' || word === 's3' ? [word] : undefined;
}

function isBad({ violations, broken, leakedBytes, leakedKeys }: Soaked): boolean {
  return violations.length + broken + leakedBytes + leakedKeys > 0;
}
