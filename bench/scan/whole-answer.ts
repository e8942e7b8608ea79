import { scanAll } from '../../src/actions/scan/kept.ts';
import { scan } from '../../src/actions/scan/scan.ts';
import { systemClock } from '../../src/lib/clock.ts';
import type { Database } from '../../src/records/db/database.ts';
import { scanGet } from '../../src/records/scans/scans.ts';
import type { Figure } from '../benchmark.ts';
import { figure } from '../figures.ts';
import { LoopWatch } from './loop-watch.ts';
import type { Question } from './questions.ts';

/** All images of an answer, line by line, as `GET /api/v1/scans/S-31/stream` gives them. */
export async function* wholeAnswer(
  database: Database,
  { name, criteria }: Question,
  { rounds, signal }: { readonly rounds: number; readonly signal: AbortSignal },
): AsyncGenerator<Figure> {
  const answer = await scan({ database, clock: systemClock }, { criteria, scope: {}, requestedBy: 'bench' });
  const stored = await scanGet(database.read, answer.name);
  if (!stored) throw new Error('it was kept');
  const [firstMs, perSecond]: [number[], number[]] = [[], []];
  let bytes = 0;
  let lines = 0;
  const watch = new LoopWatch();
  for (let round = 0; round < rounds; round++) {
    [bytes, lines] = [0, 0];
    const startedMs = performance.now();
    for await (const result of scanAll(database, stored)) {
      signal.throwIfAborted();
      bytes += JSON.stringify(result).length;
      lines += 1;
      if (lines === 1) firstMs.push(performance.now() - startedMs);
    }
    perSecond.push(lines / ((performance.now() - startedMs) / 1_000));
  }
  const note = `${lines} images, ${(bytes / 1e6).toFixed(1)} MB; event loop held for at most ${watch.end().toFixed(1)} ms`;
  const of = `whole answer: ${name}`;
  yield figure({ name: `${of}, first line`, unit: 'ms', samples: firstMs, note });
  yield figure({ name: of, unit: 'images/s', samples: perSecond, note });
}
