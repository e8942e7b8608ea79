/** What everybody in one storm shares: the servers, what they have acknowledged, and what was found to be wrong. */
import type { Client } from '../../src/client/client.ts';
import type { SeededRandom } from '../simulation/random.ts';
import type { Fleet, Server } from './fleet.ts';
import type { Promises } from './promises.ts';
import type { Quarantines, Span } from './quarantines.ts';
import type { Universe } from './universe.ts';

/** `s3`: metadata in SQLite, and blobs in a real S3 server. */
export type Engine = 'postgres' | 's3' | 'sqlite';

export interface Counts {
  pushes: number;
  pulls: number;
  deletes: number;
  restores: number;
  marks: number;
  releases: number;
  refusals: number;
  realPushes: number;
  realPulls: number;
  requests: number;
}

export interface Storm {
  readonly engine: Engine;
  /** For what real clients keep; removed at the end. */
  readonly folder: string;
  readonly fleet: Fleet;
  readonly universe: Universe;
  readonly promises: Promises;
  readonly quarantines: Quarantines;
  readonly counts: Counts;
  readonly password: string;
  /** Of the account acme's own security role. */
  readonly acme: { readonly username: string; readonly password: string };
  /** Blobs that somebody deletes from a repository: `repository digest`. */
  readonly unlinkings: Map<string, Span[]>;
  readonly violations: string[];
  readonly end: () => void;
  /** Aborts when the storm is to end. */
  readonly ending: AbortSignal;
}

export const noCounts = (): Counts => ({
  pushes: 0,
  pulls: 0,
  deletes: 0,
  restores: 0,
  marks: 0,
  releases: 0,
  refusals: 0,
  realPushes: 0,
  realPulls: 0,
  requests: 0,
});

/** One that acts in the storm, with chances of its own. */
export interface Actor {
  readonly storm: Storm;
  readonly random: SeededRandom;
}

const violationsKept = 40;

export function violate({ violations, engine }: Storm, text: string): void {
  if (violations.length < violationsKept) console.error(`VIOLATION (${engine}): ${text}`);
  violations.push(text);
}

export function anyServer({ storm, random }: Actor): Server {
  return random.pick(storm.fleet.servers);
}

export function adminOf(storm: Storm, server: Server): Client {
  const credentials = { kind: 'basic', username: 'admin', password: storm.password } as const;
  return { url: server.url, credentials, timeoutMs: 120_000 };
}
