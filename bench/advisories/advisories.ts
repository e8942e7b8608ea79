/**
 * How fast OSV documents are imported: seeded ones, as long as the real ones are (600 to 2,500 bytes, one to ten entries,
 * every other with an alias and a severity), as JSON lines in gzip, of which a hundredth name packages that are here.
 */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { importFeed } from '../../src/actions/match/import-feed.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { packagesEnsure } from '../../src/records/inventory/packages.ts';
import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtLeast } from '../figures.ts';
import { reactions } from './reactions.ts';

export const advisories: Benchmark = {
  name: 'advisories',
  summary:
    'how many advisories a second are imported, and how soon a new one, or a new image, has its findings (--only 500000 for as many documents)',
  measure,
  parts: ['500000'],
};

async function* measure(options: BenchOptions): AsyncGenerator<Figure> {
  const [documents, rounds] = options.tiny
    ? [200, 1]
    : options.only
      ? [Number(options.only), 1]
      : [20_000, 3];
  const fresh: number[] = [];
  const again: number[] = [];
  const processor: number[] = [];
  const unit = 'documents/s';
  for (let round = 0; round < rounds && !options.signal.aborted; round++) {
    options.say(`round ${round + 1} of ${rounds}: ${documents.toLocaleString('en')} documents`);
    const file = join(options.folder, `advisories-${round}.sqlite`);
    await using database = await opened(file);
    await database.transact(async (tx) => void (await packagesEnsure(tx, packagesHere())));
    const imported = () =>
      importFeed(
        { database, clock: systemClock },
        { source: 'bench', actor: 'bench', documents: Readable.from(gzipped(documents)) },
      );
    const before = process.cpuUsage();
    fresh.push((documents / (await imported()).tookMs) * 1_000);
    const { user, system } = process.cpuUsage(before);
    processor.push((documents / (user + system)) * 1e6);
    again.push((documents / (await imported()).tookMs) * 1_000);
    if (round === rounds - 1) yield* reactions(database, { documents, options });
  }
  const note = `SQLite, ${documents.toLocaleString('en')} documents, from the bytes to the last commit`;
  yield figureAtLeast(5_000, { name: 'import', unit, samples: fresh, note });
  yield figure({ name: 'import per second of the processor', unit, samples: processor, note: 'all threads' });
  yield figure({ name: 'import of the same again', unit, samples: again, note: 'nothing has changed' });
}

async function opened(file: string): Promise<Database & AsyncDisposable> {
  const database = await openDatabase({ kind: 'sqlite', file }, { region: 'bench', clock: systemClock });
  return { ...database, [Symbol.asyncDispose]: () => database.close() };
}

/** In members of ten thousand lines, which is still one stream. */
function* gzipped(documents: number): Generator<Buffer> {
  const some = 10_000;
  for (let from = 0; from < documents; from += some) {
    const lines = Array.from({ length: Math.min(some, documents - from) }, (_, at) => document(from + at));
    yield gzipSync(`${lines.join('\n')}\n`);
  }
}

const namesHere = 100;

function packagesHere() {
  return Array.from({ length: namesHere }, (_, at) => {
    const name = `package-${at}`;
    return { purl: `pkg:npm/${name}@1.0.0`, ecosystem: 'npm', name, version: '1.0.0' };
  });
}

function document(at: number): string {
  const rated = at % 2 === 0;
  const entries = 1 + (at % 10 === 0 ? 9 : 0);
  return JSON.stringify({
    schema_version: '1.7.0',
    id: `BENCH-${at}`,
    modified: '2026-01-01T00:00:00Z',
    published: '2025-01-01T00:00:00Z',
    ...(rated ? { aliases: [`CVE-2026-${10_000 + at}`] } : {}),
    summary: `An input that is not checked in part ${at}`,
    details: `What comes in is taken as it is, and ${'goes on from there to '.repeat(12)}part ${at}.`,
    ...(rated ? { severity: [{ type: 'CVSS_V3', score: vectors[(at / 2) % vectors.length] }] } : {}),
    affected: Array.from({ length: entries }, (_, entry) => ({
      package: {
        ecosystem: 'npm',
        name: `package-${at % 100 === 0 ? (at / 100) % namesHere : `else-${at}-${entry}`}`,
      },
      ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: `1.${at % 7}.${entry + 1}` }] }],
      versions: Array.from({ length: 8 }, (_version, version) => `0.${version}.0`),
    })),
    references: [{ type: 'WEB', url: `https://advisories.example/BENCH-${at}` }],
  });
}

const vectors = [
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H',
  'CVSS:3.1/AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N',
  'CVSS:3.1/AV:L/AC:H/PR:L/UI:N/S:U/C:N/I:N/A:H',
];
