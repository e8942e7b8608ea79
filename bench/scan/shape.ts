/**
 * What inventories look like: the real images of `test/images` beside what the generator makes up. A size is a median, and what
 * lies around it; of the made-up ones the sizes are given, and the real ones show what is strange about them.
 */
import { join } from 'node:path';
import { type RawBuilder, sql } from 'kysely';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { whyNone } from '../../test/images/build.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { builtRealImages, filled } from '../inspect/real-images.ts';

/** Each a number for every image, layer, folder or package; how they spread is the shape. */
const measures: readonly (readonly [string, string, RawBuilder<{ n: number }>])[] = [
  ['layers of an image', '', sql`select count(*) as n from edges where kind = 'layer' group by manifest_id`],
  ['packages of an image', '', sql`select count(*) as n from image_packages group by manifest_id`],
  [
    'files of a layer',
    '',
    sql`select count(*) as n from layer_files where kind != 'directory' group by blob_id`,
  ],
  ['files of a folder', '', sql`select count(*) as n from folder_entries group by folder_id`],
  ['layers that have a path', '×', sql`select count(*) as n from layer_files group by path_id`],
  [
    'places that have a content',
    '×',
    sql`select count(*) as n from layer_files where sha256 is not null group by sha256`,
  ],
  [
    'images that show a package',
    '×',
    sql`select count(distinct manifest_id) as n from image_packages group by package_id`,
  ],
  [
    'findings of a package that has any',
    '',
    sql`select count(*) as n from findings where until is null group by package_id`,
  ],
];

export async function* shape(
  { folder, say, signal }: BenchOptions,
  seeded: { readonly file: string; readonly text: string },
): AsyncGenerator<Figure> {
  const none = await whyNone();
  if (none !== undefined) return say(`no real images: ${none}`);
  const images = await builtRealImages(say, signal);
  const real = await spreads(join(folder, 'real-shape.sqlite'), async (database) => {
    await filled(database, images);
  });
  const made = await spreads(seeded.file, async () => {});
  for (const [at, [name, unit]] of measures.entries()) {
    const [one, other] = [real[at], made[at]];
    if (!one?.count) continue; // without advisories there are no findings
    yield {
      ...{ name: `shape: ${name}`, unit, target: null, holds: null, value: one.median },
      note: `of ${one.count.toLocaleString('en')}: ${text(one)}; made up (${seeded.text}): median ${other?.median}, ${other && text(other)}`,
    };
  }
}

interface Spread {
  readonly count: number;
  readonly median: number;
  readonly mean: number;
  readonly p90: number;
  readonly most: number;
}

function text({ mean, p90, most }: Spread): string {
  return `mean ${Number(mean.toPrecision(3))}, p90 ${p90}, most ${most}`;
}

async function spreads(file: string, fill: (database: Database) => Promise<void>): Promise<Spread[]> {
  const database = await openDatabase({ kind: 'sqlite', file }, { region: 'bench', clock: systemClock });
  try {
    await fill(database);
    const found: Spread[] = [];
    for (const [, , counts] of measures) found.push(await spreadOf(database, counts));
    return found;
  } finally {
    await database.close();
  }
}

async function spreadOf(database: Database, counts: RawBuilder<{ n: number }>): Promise<Spread> {
  const { rows } = await sql<{
    n: number;
    times: number;
  }>`select n, count(*) as times from (${counts}) as counted
    group by n order by n`.execute(database.read);
  const count = rows.reduce((sum, { times }) => sum + times, 0);
  const at = (part: number) => {
    let before = 0;
    for (const { n, times } of rows) {
      before += times;
      if (before > part * (count - 1)) return n;
    }
    return 0;
  };
  const sum = rows.reduce((total, { n, times }) => total + n * times, 0);
  return { count, median: at(0.5), mean: sum / count, p90: at(0.9), most: rows.at(-1)?.n ?? 0 };
}
