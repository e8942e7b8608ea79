import { scanLive } from '../../src/actions/scan/live.ts';
import type { ScanResult } from '../../src/actions/scan/results.ts';
import type { ScanDeps, ScanRequest } from '../../src/actions/scan/scan.ts';

/** All lines of an answer that is given as it is found: the images, what was counted early, and what came last. */
export async function liveScan(deps: ScanDeps, request: ScanRequest) {
  const lines = await Array.fromAsync(scanLive(deps, request));
  const last = lines.at(-1);
  if (!last || !('answer' in last)) throw new Error('the last line is the answer');
  const images: ScanResult[] = [];
  const early: number[] = [];
  for (const line of lines.slice(0, -1))
    if ('image' in line) images.push(line.image);
    else if ('matchAtLeast' in line) early.push(line.matchAtLeast);
    else throw new Error('there is one answer');
  return { images, early, answer: last.answer };
}
