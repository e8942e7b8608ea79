import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { call, callLines } from '../../src/client/client.ts';
import { advisoryImport } from '../../src/contract/advisories.ts';
import { imageExplain } from '../../src/contract/explain.ts';
import type { RouteAnswer } from '../../src/contract/route.ts';
import { type Advisory, comparerOf, knownFlaws, namedByAdvisories } from './known-flaws.ts';
import type { RealImage } from './real-image.ts';
import type { Explained } from './same-inside.ts';

/** Real advisories about packages of these images: see SOURCES.md beside it. */
const file = fileURLToPath(new URL('../fixtures/osv/images.jsonl.gz', import.meta.url));

type Entry = RouteAnswer<typeof imageExplain>;

/** Where what Lazaret finds and what the tools find differ, and why that is right: `ADVISORY NAME VERSION`. */
export interface ExplainedFinding {
  readonly finding: string;
  readonly by: 'lazaret' | 'tools';
  readonly because: string;
}

export interface Disagreements {
  /** As `sameAsInside` is given them. */
  readonly packages?: readonly Explained[];
  readonly findings?: readonly ExplainedFinding[];
}

/** What is true of every image: of real advisories those apply that the ecosystems' own tools say apply, and no others. */
export function sameFindings(
  image: () => RealImage,
  ecosystems: readonly string[],
  { packages: otherwise = [], findings: explained = [] }: Disagreements = {},
): void {
  for (const ecosystem of ecosystems) {
    const { tool = 'nothing', runs = false } = comparerOf(ecosystem) ?? {};
    test.skipIf(!runs)(
      `has the findings of its ${ecosystem} packages that ${tool} gives (skipped where there is none)`,
      async () => {
        const { root } = image();
        const all = await namedByAdvisories(root, otherwise);
        const packages = all.filter((one) => one.ecosystem === ecosystem);
        const theirs = await knownFlaws(packages, await advisories(), root);
        const entries = (await explainedEntries(image())).filter(
          (one) => one.compared.ecosystem === ecosystem,
        );
        const ours = entries.filter(({ verdict }) => verdict === 'holds').map(findingText);
        expect(theirs.length).toBeGreaterThan(0);
        const difference = {
          lazaret: [...new Set(ours).difference(new Set(theirs))].sort(),
          tools: [...new Set(theirs).difference(new Set(ours))].sort(),
        };
        const expected = (by: ExplainedFinding['by']) =>
          explained.flatMap((one) => (one.by === by ? one.finding : [])).sort();
        expect(difference).toEqual({ lazaret: expected('lazaret'), tools: expected('tools') });
        expect(entries.filter(({ verdict }) => verdict === 'unknown').map(findingText)).toEqual([]);
      },
      300_000,
    );
  }

  test('keeps as findings what holds, and nothing else', async () => {
    const entries = await explainedEntries(image());
    const kept = entries.filter(({ history }) => history.some(({ until }) => until === null));
    const holding = entries.filter(({ verdict }) => verdict === 'holds');
    expect(holding.length).toBeGreaterThan(0);
    expect([...new Set(kept.map(findingText))].sort()).toEqual([...new Set(holding.map(findingText))].sort());
  }, 300_000);
}

function findingText({ advisory, compared }: Pick<Entry, 'advisory' | 'compared'>): string {
  return `${advisory} ${compared.name} ${compared.version}`;
}

async function advisories(): Promise<readonly Advisory[]> {
  const text = gunzipSync(await readFile(file)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));
}

/** Every advisory that names a package of the image. */
async function explainedEntries({ admin, of }: RealImage): Promise<readonly Entry[]> {
  const query = { source: 'real', file: 'images.jsonl.gz' };
  await call(admin, advisoryImport, { query }, { stream: createReadStream(file) });
  return Array.fromAsync(callLines(admin, imageExplain, { query: { ...of, all: true } }));
}
