/**
 * How fast OSV documents are imported: seeded ones, as long as the real ones are (600 to 2,500 bytes, one to ten entries,
 * every other with an alias and a severity), as JSON lines in gzip, of which a hundredth name packages that are here.
 */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { importFeed } from '../../src/actions/match/import-feed.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { packagesEnsure } from '../../src/records/inventory/packages.ts';
import type { Benchmark, BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtLeast } from '../figures.ts';

export const advisories: Benchmark = {
  name: 'advisories',
  summary: 'how many advisories a second are imported',
  measure: measureImport,
};

async function* measureImport({ folder, tiny, say, signal }: BenchOptions): AsyncGenerator<Figure> {
  const [documents, rounds] = tiny ? [200, 1] : [20_000, 3];
  const fresh: number[] = [];
  const again: number[] = [];
  const processor: number[] = [];
  for (let round = 0; round < rounds && !signal.aborted; round++) {
    say(`round ${round + 1} of ${rounds}: ${documents.toLocaleString('en')} documents`);
    const database = await openDatabase(
      { kind: 'sqlite', file: join(folder, `advisories-${round}.sqlite`) },
      { region: 'bench', clock: systemClock },
    );
    await database.transact(async (tx) => void (await packagesEnsure(tx, packagesHere())));
    const bytes = gzipSync(Array.from({ length: documents }, (_, at) => document(at)).join('\n'));
    const imported = () =>
      importFeed(
        { database, clock: systemClock },
        { source: 'bench', actor: 'bench', documents: Readable.from([bytes]) },
      );
    const before = process.cpuUsage();
    fresh.push((documents / (await imported()).tookMs) * 1_000);
    const { user, system } = process.cpuUsage(before);
    processor.push((documents / (user + system)) * 1e6);
    again.push((documents / (await imported()).tookMs) * 1_000);
    await database.close();
  }
  const unit = 'documents/s';
  yield figureAtLeast(5_000, {
    name: 'import',
    unit,
    samples: fresh,
    note: 'SQLite, from the bytes to the last commit',
  });
  yield figure({ name: 'import per second of the processor', unit, samples: processor, note: 'all threads' });
  yield figure({ name: 'import of the same again', unit, samples: again, note: 'nothing has changed' });
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
