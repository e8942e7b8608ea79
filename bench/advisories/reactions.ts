/** How soon findings are there after something new: an advisory about a package that is here, an image with 300 packages. */
import { imageMeets } from '../../src/actions/scan/image-meets.ts';
import type { Database } from '../../src/records/db/database.ts';
import { logHead, logRead } from '../../src/records/log/log.ts';
import { type InventoryWorld, inventoryWorld } from '../../test/support/inventory-world.ts';
import { buildLayer } from '../../test/support/oci-layout.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtMost } from '../figures.ts';

const packagesOfImage = 300;

export async function* reactions(
  database: Database,
  { documents, options }: { readonly documents: number; readonly options: BenchOptions },
): AsyncGenerator<Figure> {
  const rounds = options.tiny ? 2 : 50;
  const beside = `beside ${documents.toLocaleString('en')} others, SQLite`;
  await using world = await inventoryWorld({ open: async () => database });
  const told: number[] = [];
  const judged: number[] = [];
  const read: number[] = [];
  const known = Array.from({ length: packagesOfImage }, (_, at) => advisoryOf(`part-${at}`, 'known'));
  await world.import(known.join('\n'));
  for (let round = 0; round < rounds; round++) {
    options.signal.throwIfAborted();
    const { id, readMs, viewMs } = await newImage(world, round);
    read.push(readMs);
    const startedMs = performance.now();
    const { verdict, evidence } = await imageMeets(database, id, { advisory: { severity: 'high' } });
    if (verdict !== 'match' || evidence.length < packagesOfImage) throw new Error('it has its findings');
    judged.push(viewMs + performance.now() - startedMs);
    told.push(await newAdvisory(world, round));
  }
  yield figureAtMost(100, {
    ...{ name: 'new advisory', unit: 'ms', samples: told },
    note: `from its bytes to its findings, in ${rounds} images at most, and the event that tells them; ${beside}`,
  });
  yield figureAtMost(50, {
    ...{ name: 'new image', unit: 'ms', samples: judged },
    note: `of ${packagesOfImage} packages, each with a finding: from the inventory of its layer to its view and its verdict with all reasons; ${beside}`,
  });
  yield figure({
    ...{ name: 'new image, its layer', unit: 'ms', samples: read },
    note: `before that: ${packagesOfImage} package files read from the tar and kept, with the findings of packages never seen before`,
  });
}

/** Half of its packages are versions that nobody has had. */
async function newImage(
  world: InventoryWorld,
  round: number,
): Promise<{ id: number; readMs: number; viewMs: number }> {
  const entries = Array.from({ length: packagesOfImage }, (_, at) => ({
    path: `app/node_modules/part-${at}/package.json`,
    content: JSON.stringify({ name: `part-${at}`, version: `1.${at % 2 === 0 ? round : 0}.0` }),
  }));
  const id = await world.push({
    layers: [await buildLayer([...entries, { path: 'round', content: String(round) }])],
  });
  const startedMs = performance.now();
  await world.readLayers();
  const readMs = performance.now() - startedMs;
  await world.drain();
  return { id, readMs, viewMs: performance.now() - startedMs - readMs };
}

async function newAdvisory(world: InventoryWorld, round: number): Promise<number> {
  const position = await logHead(world.database.read);
  const startedMs = performance.now();
  const { findings } = await world.import(advisoryOf(`part-${round}`, `round-${round}`));
  const events = await logRead(world.database.read, { after: position, limit: 10 });
  const tookMs = performance.now() - startedMs;
  if (findings.new === 0 || events.length === 0) throw new Error('it has findings, and an event tells them');
  return tookMs;
}

function advisoryOf(name: string, id: string): string {
  return JSON.stringify({
    schema_version: '1.7.0',
    id: `BENCH-${name}-${id}`,
    modified: '2026-01-01T00:00:00Z',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [
      {
        package: { ecosystem: 'npm', name },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '99.0.0' }] }],
      },
    ],
  });
}
