/**
 * Runs the simulation in one process per core.
 *
 *     npm run simulate -- --seeds 2000 --steps 150          from seed 1 on (--from N: from another)
 *     npm run simulate -- --seed 17                         one seed, with its trace
 *     npm run simulate -- --fault grace-ignored             a planted fault: must be found
 *     npm run simulate -- --faults                          each of them
 *     npm run simulate -- --seconds 120                     as many of the seeds, or of the faults, as that time allows
 *
 * Ends with 1 if a seed failed, or a planted fault was not found.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { faults } from './faults.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    steps: { type: 'string', default: '150' },
    seed: { type: 'string' },
    seconds: { type: 'string' },
    fault: { type: 'string' },
    faults: { type: 'boolean', default: false },
  },
});

const secondsMax = Number(values.seconds ?? Number.POSITIVE_INFINITY);

interface Line {
  readonly seed: number;
  readonly taken: number;
  readonly failure?: string;
  readonly trace?: readonly string[];
}

interface Ask {
  readonly from: number;
  readonly end: number;
  readonly steps: number;
  readonly fault?: string | undefined;
  readonly stopAtFirst: boolean;
  readonly untilMs: number;
}

/** @returns the seeds that failed, and how many ran */
async function run(ask: Ask): Promise<{ ran: number; failed: Line[] }> {
  const cores = Math.min(availableParallelism(), ask.end - ask.from + 1);
  const failed: Line[] = [];
  let ran = 0;
  const children: ChildProcess[] = [];
  const stop = () => {
    for (const child of children) child.kill('SIGTERM');
  };
  // Whoever ends this ends its workers, which remove their folders.
  process.once('SIGTERM', stop).once('SIGINT', stop);
  const timer = setTimeout(stop, Math.min(ask.untilMs - performance.now(), 2 ** 31 - 1));
  await Promise.all(
    Array.from({ length: cores }, async (_, core) => {
      const numbers = [ask.from + core, ask.end, cores, ask.steps].map(String);
      const worker = fileURLToPath(new URL('./worker.ts', import.meta.url));
      const child = spawn(process.execPath, [worker, ...numbers, ...(ask.fault ? [ask.fault] : [])], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      children.push(child);
      const ended = new Promise<number | null>((resolve) => {
        child.on('close', resolve);
      });
      for await (const text of createInterface({ input: child.stdout })) {
        const line: Line = JSON.parse(text);
        ran += 1;
        if (line.failure === undefined) continue;
        failed.push(line);
        if (ask.stopAtFirst) stop();
      }
      const code = await ended;
      if (code !== 0 && failed.length === 0 && performance.now() < ask.untilMs)
        throw new Error(`a worker ended with ${code}`);
    }),
  ).finally(() => {
    clearTimeout(timer);
    process.off('SIGTERM', stop).off('SIGINT', stop);
  });
  return { ran, failed: failed.sort((a, b) => a.seed - b.seed) };
}

async function planted(
  name: string,
  options: { seeds: number; steps: number; untilMs: number },
): Promise<'found' | 'missed' | 'untried'> {
  const { seeds, steps, untilMs } = options;
  const { ran, failed } = await run({ from: 1, end: seeds, steps, fault: name, stopAtFirst: true, untilMs });
  const [first] = failed;
  if (!first && performance.now() > untilMs) return 'untried';
  console.log(
    first
      ? `found      ${name}: seed ${first.seed}, after ${ran} seeds: ${first.failure?.split('\n')[0]}`
      : `NOT FOUND  ${name} in ${ran} seeds`,
  );
  return first ? 'found' : 'missed';
}

async function plantedFaults(options: { seeds: number; steps: number }): Promise<number> {
  const untilMs = performance.now() + secondsMax * 1_000;
  const ends: Record<'found' | 'missed' | 'untried', string[]> = { found: [], missed: [], untried: [] };
  for (const { name } of faults)
    ends[performance.now() > untilMs ? 'untried' : await planted(name, { ...options, untilMs })].push(name);
  const { found, missed, untried } = ends;
  if (untried.length > 0) console.log(`no time for ${untried.join(', ')}`);
  console.log(`${found.length} planted faults found, ${missed.length} not found`);
  return missed.length;
}

async function seeds(options: { seeds: number; steps: number }): Promise<number> {
  const startedMs = performance.now();
  const one = values.seed === undefined ? undefined : Number(values.seed);
  const from = one ?? Number(values.from);
  const end = one ?? from + options.seeds - 1;
  const untilMs = startedMs + secondsMax * 1_000;
  const { ran, failed } = await run({ from, end, steps: options.steps, stopAtFirst: false, untilMs });
  const [first] = failed;
  if (first?.trace) console.log(first.trace.join('\n'));
  for (const { seed, failure } of failed) console.log(`seed ${seed}: ${failure?.split('\n')[0]}`);
  const perSecond = ran / ((performance.now() - startedMs) / 1_000);
  console.log(
    `${ran} seeds of ${options.steps} steps, ${failed.length} failed, ${perSecond.toFixed(1)} seeds/s`,
  );
  if (first) console.log(`again: npm run simulate -- --seed ${first.seed} --steps ${options.steps}`);
  return failed.length;
}

const options = { seeds: Number(values.seeds), steps: Number(values.steps) };
const bad = values.faults
  ? await plantedFaults(options)
  : values.fault === undefined
    ? await seeds(options)
    : Number((await planted(values.fault, { ...options, untilMs: Number.POSITIVE_INFINITY })) !== 'found');
process.exitCode = bad === 0 ? 0 : 1;
