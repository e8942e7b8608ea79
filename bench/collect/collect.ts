import { join } from 'node:path';
import { call } from '../../src/client/client.ts';
import { accountCreate } from '../../src/contract/access.ts';
import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { type OneServer, withFreshServer } from '../one-server.ts';
import { measureForeground } from './foreground.ts';
import { measureMarks } from './marks.ts';
import { measureRate } from './rate.ts';
import { SeededRows } from './seeded-rows.ts';

/** A server and the rows behind it. */
export interface Seeded {
  readonly server: OneServer;
  readonly rows: SeededRows;
}

/** The same server twice: almost empty, and with a million blobs in its metadata store. */
export interface Sizes {
  readonly small: Seeded;
  readonly large: Seeded;
}

export const largeBlobs = 1_000_000;

export const collect: Benchmark = {
  name: 'collect',
  summary: 'collection, pushes and pulls meanwhile, marks under many images; with 1,000,000 blobs too',
  measure: measureCollect,
};

async function* measureCollect(options: BenchOptions): AsyncGenerator<Figure> {
  const figures: Figure[] = [];
  await withSeeded(options, 'small', (small) =>
    withSeeded(options, 'large', async (large) => {
      options.say(`${largeBlobs.toLocaleString('en')} blobs are written into the metadata store`);
      await large.rows.blobs(largeBlobs);
      for (const measure of [measureRate, measureMarks, measureForeground])
        for await (const figure of measure(options, { small, large })) {
          options.say(`${figure.name}: ${figure.value} ${figure.unit}`);
          figures.push(figure);
        }
    }),
  );
  yield* figures;
}

function withSeeded(
  { folder, signal }: BenchOptions,
  name: string,
  work: (seeded: Seeded) => Promise<void>,
): Promise<void> {
  return withFreshServer({ folder: join(folder, name), signal }, async (server) => {
    await call(
      { url: server.url, credentials: server.admin },
      accountCreate,
      { body: { name: 'bench' } },
      { signal },
    );
    using rows = new SeededRows(server.data);
    await work({ server, rows });
  });
}
