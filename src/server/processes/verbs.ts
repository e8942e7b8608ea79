import type { GivenSecret } from '../../actions/access/authenticate.ts';
import type { MetricsSnapshot } from '../../edges/http/metrics.ts';
import type { RatedCaller } from '../../edges/http/request-rate.ts';
import type { LedgerEntry } from '../../records/access/ledger.ts';
import type { Config } from '../config/config.ts';

/**
 * What the processes of one server ask each other. A request's path asks only for what must be counted in one place: a
 * password that is looked at, and the rate where it is limited.
 */
export type WriterVerbs = {
  /** As soon as the writer serves. */
  plan(value: null): Promise<ReaderPlan>;
  /** The reader serves. */
  serving(value: null): Promise<void>;
  /** It can't, and ends; with the reason. */
  failed(value: string): Promise<void>;
  /** @throws tooManyRequests */
  secretFits(value: { readonly hash: string; readonly given: GivenSecret }): Promise<boolean>;
  /** @throws tooManyRequests */
  rateTake(value: { readonly caller: RatedCaller; readonly address: string }): Promise<void>;
  /** Pulls and refusals, for the ledger. */
  pulled(value: readonly LedgerEntry[]): Promise<void>;
  /** Whether there are pulls going on in the reader, to which the collector yields. */
  busy(value: boolean): Promise<void>;
};

export type ReaderVerbs = {
  /** Something was committed that background tasks may wait for. */
  committed(value: null): Promise<void>;
  /** @throws what a store throws that can't be reached */
  ready(value: null): Promise<void>;
  metrics(value: null): Promise<MetricsSnapshot>;
  /** Looks for another certificate. */
  reload(value: null): Promise<boolean>;
  /** Answered when all that was in flight has ended, within the deadline. */
  close(value: null): Promise<void>;
};

export interface ReaderPlan {
  readonly config: Config;
  /** From 1. */
  readonly number: number;
  /** Where the writer listens, and the reader shall, too. */
  readonly port: number;
  /** Where the writer takes what the reader does not answer. */
  readonly socketPath: string;
}
