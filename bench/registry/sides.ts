/** The two registries that are measured in turn, and how. */
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { request } from 'undici';
import { authorization, call } from '../../src/client/client.ts';
import { inspectionStatusShow } from '../../src/contract/inspections.ts';
import type { BenchOptions, Figure } from '../benchmark.ts';
import { figure, figureAtLeast } from '../figures.ts';
import type { OneServer } from '../one-server.ts';
import type { Load } from './load.ts';
import type { LoadResult, LoadTarget, LoadWork } from './load-jobs.ts';
import { fullSizes, type Sizes, tinySizes } from './sizes.ts';

const account = 'bench';
const inspectedPollMs = 50;
export type SideName = 'ours' | 'theirs';

export class Sides {
  readonly sizes: Sizes;
  readonly #ours: OneServer;
  readonly #theirs: OneServer | string;
  readonly #load: Load;
  readonly #options: BenchOptions;

  /** @param sides.theirs the address of one that asks for no token, or another server of ours */
  constructor(sides: { ours: OneServer; theirs: OneServer | string; load: Load }, options: BenchOptions) {
    this.#ours = sides.ours;
    this.#theirs = sides.theirs;
    this.#load = sides.load;
    this.#options = options;
    this.sizes = options.tiny ? tinySizes : fullSizes;
  }

  /** What was written before is on the disk when it begins. @param repository without the account: `manifests` */
  async done(side: SideName, repository: string, work: LoadWork): Promise<LoadResult> {
    const { folder, signal } = this.#options;
    await promisify(execFile)('sync', ['-f', folder], { signal });
    const name = `${account}/${repository}`;
    const server = side === 'ours' ? this.#ours : this.#theirs;
    const target: LoadTarget =
      typeof server === 'string'
        ? { url: server, repository: name, authorization: '' }
        : { url: server.url, repository: name, authorization: await tokenFor(server, name, signal) };
    return this.#load.done(target, work);
  }

  /** Until a server of ours has inspected every layer that was pushed: what is left would take from the other's turn. */
  async inspected(side: SideName): Promise<void> {
    const { signal } = this.#options;
    const server = side === 'ours' ? this.#ours : this.#theirs;
    if (typeof server === 'string') return;
    const { url, admin: credentials } = server;
    for (;;) {
      const { pending, stale } = await call({ url, credentials }, inspectionStatusShow, {}, { signal });
      if (pending + stale === 0) return;
      await delay(inspectedPollMs, undefined, { signal });
    }
  }

  /** One round to warm up, then so many that count; who begins changes with each. */
  async inTurn(run: (side: SideName) => Promise<LoadResult>): Promise<Rounds> {
    const rounds: Record<SideName, LoadResult[]> = { ours: [], theirs: [] };
    for (let round = -1; round < this.sizes.rounds; round++) {
      const order = round % 2 === 0 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const);
      for (const side of order) {
        const result = await run(side);
        if (round >= 0) rounds[side].push(result);
      }
    }
    return rounds;
  }

  say(line: string): void {
    this.#options.say(line);
  }
}

type Rounds = Readonly<Record<SideName, readonly LoadResult[]>>;

interface Ratio {
  readonly name: string;
  readonly rounds: Rounds;
  /** How many of what was counted are one of `unit`: 10⁶ bytes are a MB. */
  readonly per?: number;
  readonly unit: string;
  readonly note: string;
  /** What ours is measured against. */
  readonly other?: string;
}

/** Ours against theirs: of each round, the ratio; in the note, what both reached. */
export function ratioFigure(target: number | null, ratio: Ratio): Figure {
  const { name, rounds, per = 1, unit, note, other = 'docker-registry' } = ratio;
  const rates = (side: SideName) => rounds[side].map(({ count, ms }) => ((count / ms) * 1000) / per);
  const theirs = rates('theirs');
  const measured = {
    name,
    unit: '×',
    samples: rates('ours').map((rate, round) => rate / (theirs[round] ?? Number.NaN)),
    note:
      `ours ${spread(rates('ours'))} ${unit}, ${other} ${spread(theirs)}; the client took ` +
      `${coresText(rounds.ours)} of a core for ours, ${coresText(rounds.theirs)} for the other; ${note}`,
  };
  return target === null ? figure(measured) : figureAtLeast(target, measured);
}

function spread(rates: readonly number[]): string {
  const sorted = rates.toSorted((a, b) => a - b);
  const median = sorted[(sorted.length - 1) >> 1];
  return `${text(median)} (${text(sorted.at(0))} to ${text(sorted.at(-1))})`;
}

function coresText(results: readonly LoadResult[]): string {
  return Math.max(...results.map((each) => each.clientCores)).toFixed(2);
}

function text(value = Number.NaN): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);
}

/** A token, as a registry's client gets one: it lives longer than what it is used for. */
async function tokenFor(server: OneServer, repository: string, signal: AbortSignal): Promise<string> {
  const scope = encodeURIComponent(`repository:${repository}:pull,push`);
  const asked = `${server.url}/v2/token?service=lazaret&scope=${scope}`;
  const { statusCode, body } = await request(asked, { headers: authorization(server.admin), signal });
  const token = /"token":"([^"]+)"/.exec(await body.text())?.[1];
  if (token === undefined) throw new Error(`no token: ${statusCode}`);
  return `Bearer ${token}`;
}
