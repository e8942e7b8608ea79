/** The same beside others: with two processes, on PostgreSQL, and with a million manifests in the metadata store. */
import { startPostgres } from '../../test/support/postgres.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { SeededRows } from '../collect/seeded-rows.ts';
import type { OneServer } from '../one-server.ts';
import { Load } from './load.ts';
import { withOwnServer } from './own.ts';
import { measureManifests } from './reads.ts';
import { ratioFigure, Sides } from './sides.ts';

/** Gets only: the tests' own server, which flushes nothing. @param theirs docker-registry's address */
export async function* measureOnPostgres(options: BenchOptions, theirs: string): AsyncGenerator<Figure> {
  const postgres = await startPostgres();
  try {
    const settings = { LAZARET_DATABASE_URL: postgres.url };
    const own = { name: 'on-postgres', settings };
    yield* await withOwnServer(options, manifestsBeside(options, theirs, 'PostgreSQL'), own);
  } finally {
    await postgres.stop();
  }
}

/** `http.processes: 2`. @param theirs docker-registry's address */
export function measureTwoProcesses(options: BenchOptions, theirs: string): Promise<Figure[]> {
  const own = { name: 'two-processes', settings: { LAZARET_HTTP_PROCESSES: '2' } };
  return withOwnServer(options, manifestsBeside(options, theirs, 'two processes'), own);
}

function manifestsBeside(options: BenchOptions, theirs: string, how: 'PostgreSQL' | 'two processes') {
  return async (ours: OneServer): Promise<Figure[]> => {
    await using load = new Load(options.signal);
    return await Array.fromAsync(measureManifests(new Sides({ ours, theirs, load }, options), how));
  };
}

const connections = 32;
const leastRatio = 0.9;
const other = 'the empty one';

/** Two servers of ours in turn, one almost empty. */
export function measureFull(options: BenchOptions): Promise<Figure[]> {
  return withOwnServer(options, (theirs) =>
    withOwnServer(
      options,
      async (ours) => {
        await using load = new Load(options.signal);
        const sides = new Sides({ ours, theirs, load }, options);
        const { manifestsInStore } = sides.sizes;
        options.say(`${manifestsInStore.toLocaleString('en')} manifests are written into a metadata store`);
        using rows = new SeededRows(ours.data);
        await rows.manifests(manifestsInStore);
        return await Array.fromAsync(fullBesideEmpty(sides));
      },
      { name: 'full' },
    ),
  );
}

async function* fullBesideEmpty(sides: Sides): AsyncGenerator<Figure> {
  const { manifestMs: forMs, imagesInRound: images, blobBytes: sizeBytes } = sides.sizes;
  const [repository, tag] = ['full', 'v1'];
  for (const side of ['ours', 'theirs'] as const)
    await sides.done(side, repository, { kind: 'images', images: 1, tag });
  const note = 'two servers of ours, one with 1,000,000 manifests as rows';
  yield ratioFigure(leastRatio, {
    name: 'manifest GET by tag, with 1,000,000 manifests',
    rounds: await sides.inTurn((side) =>
      sides.done(side, repository, { kind: 'manifests', tag, connections, forMs }),
    ),
    ...{ unit: 'requests/s', note, other },
  });
  yield ratioFigure(leastRatio, {
    name: 'push of an image of 20 small layers, with 1,000,000 manifests',
    rounds: await sides.inTurn(async (side) => {
      const pushed = await sides.done(side, repository, { kind: 'images', images, tag: 'latest' });
      await sides.inspected(side);
      return pushed;
    }),
    ...{ unit: 'images/s', note, other },
  });
  yield ratioFigure(leastRatio, {
    name: 'push of new 256 MB blobs, with 1,000,000 manifests',
    rounds: await sides.inTurn((side) =>
      sides.done(side, repository, { kind: 'pushes', sizeBytes, connections: 1 }),
    ),
    ...{ per: 1e6, unit: 'MB/s', note, other },
  });
}
