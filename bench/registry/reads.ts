/** Manifests by tag, blobs, and lists of tags, from either registry in turn. */
import type { Figure } from '../benchmark.ts';
import { ratioFigure, type SideName, type Sides } from './sides.ts';

const connections = 32;
const manifestTargets = { sqlite: 6, 'two processes': 10, PostgreSQL: 2 } as const;
type Ours = keyof typeof manifestTargets;
const blobTarget = 1;
const tag = 'v1';

export async function* measureManifests(sides: Sides, ours: Ours = 'sqlite'): AsyncGenerator<Figure> {
  sides.say(`manifest by tag, ours on ${ours}`);
  for (const side of ['ours', 'theirs'] as const)
    await sides.done(side, 'manifests', { kind: 'images', images: 1, tag });
  const { manifestMs: forMs } = sides.sizes;
  const work = { kind: 'manifests', tag, connections, forMs } as const;
  yield ratioFigure(manifestTargets[ours], {
    name: `manifest GET by tag, 32 connections${ours === 'sqlite' ? '' : `, ${ours}`}`,
    rounds: await sides.inTurn((side) => sides.done(side, 'manifests', work)),
    unit: 'requests/s',
    note: `${forMs / 1000} s a round, of an image of 20 layers; here with a token, there without authorisation`,
  });
}

export async function* measurePulls(sides: Sides): AsyncGenerator<Figure> {
  const sizeBytes = sides.sizes.blobBytes;
  const digests: Record<SideName, string> = { ours: '', theirs: '' };
  for (const side of ['ours', 'theirs'] as const) {
    const work = { kind: 'pushes', sizeBytes, connections: 1 } as const;
    digests[side] = (await sides.done(side, 'pulls', work)).digest;
  }
  for (const connections of [1, 8]) {
    sides.say(`blob GET, ${connections} at once`);
    yield ratioFigure(blobTarget, {
      name: `blob GET 256 MB, ${connections} connection${connections > 1 ? 's' : ''}`,
      rounds: await sides.inTurn((side) =>
        sides.done(side, 'pulls', { kind: 'pulls', digest: digests[side], connections }),
      ),
      per: 1e6,
      unit: 'MB/s',
      note: 'from the GET to the last byte, from the page cache',
    });
  }
}

export async function* measureTags(sides: Sides): AsyncGenerator<Figure> {
  const { tags, listsInRound } = sides.sizes;
  sides.say(`list of ${tags} tags, which are pushed first`);
  for (const side of ['ours', 'theirs'] as const) await sides.done(side, 'tags', { kind: 'tags', tags });
  yield ratioFigure(null, {
    name: 'tag list of 10,000 tags',
    rounds: await sides.inTurn((side) =>
      sides.done(side, 'tags', { kind: 'lists', tags, lists: listsInRound }),
    ),
    unit: 'lists/s',
    note: `${listsInRound} whole lists a round, one after another, by as many pages as the server makes`,
  });
}
