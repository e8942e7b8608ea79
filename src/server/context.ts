import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import pino, { type Logger } from 'pino';
import {
  type Authenticator,
  openAuthenticator,
  type SecretCheck,
  secretsChecked,
} from '../actions/access/authenticate.ts';
import { type Pace, yieldingPace } from '../actions/collect/pace.ts';
import type { Inspector } from '../actions/inspect/inspector.ts';
import type { LeaseBasis } from '../actions/launch/lease-basis.ts';
import { PullLedger } from '../actions/pull/ledger.ts';
import type { OpenManifests } from '../actions/pull/manifest-get.ts';
import { OpenStreams } from '../actions/pull/open-streams.ts';
import { RunningDigests } from '../actions/push/running-digests.ts';
import { type SparsePolicy, sparsePolicy } from '../actions/push/sparse.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import { openBlobStore } from '../blobs/drivers.ts';
import { createMetrics, type Metrics } from '../edges/http/metrics.ts';
import { RequestRate } from '../edges/http/request-rate.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { causeChain } from '../lib/errors.ts';
import { Foreground } from '../lib/foreground.ts';
import { limits } from '../lib/limits.ts';
import { lazaretVersion } from '../lib/version.ts';
import { type GuardedFetch, guardedFetch } from '../outbound/guarded-fetch.ts';
import type { Database } from '../records/db/database.ts';
import { openDatabase } from '../records/db/drivers.ts';
import { AnswersAtHead } from '../records/log/answers-at-head.ts';
import type { Config, PeerConfig } from './config/config.ts';
import { openInspector } from './inspection.ts';
import { openReplication, type Replication } from './replication.ts';

/** Everything that the server is made of, built once. What actions and edges take as their `deps` is a part of this. */
export interface Context {
  readonly config: Config;
  readonly version: string;
  readonly region: string;
  readonly primary: string;
  readonly peers: readonly PeerConfig[];
  readonly clock: Clock;
  readonly database: Database;
  readonly blobs: BlobStore;
  /** Of the uploads that are going on in this process. */
  readonly digests: RunningDigests;
  readonly sparse: SparsePolicy;
  readonly inspector: Inspector;
  readonly replication: Replication;
  /** Since when the primary region is known to have ended nothing that runs on here. */
  readonly leases: LeaseBasis;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** Brings the bytes of a blob here that another region has. @throws unavailable, quarantined */
  readonly fetchRemote: (digest: string) => Promise<void>;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly ledger: PullLedger;
  /** The blobs that this process is sending. */
  readonly openStreams: OpenStreams;
  readonly openManifests: OpenManifests;
  readonly authenticator: Authenticator;
  readonly secretFits: SecretCheck;
  readonly requestRate: RequestRate;
  /** The `service` of tokens. */
  readonly service: string;
  /** The pushes and pulls that go on in this process. */
  readonly foreground: Foreground;
  /** How the collector yields to them. */
  readonly pace: Pace;
  readonly graceMs: number;
  /** Whose clock it is. */
  readonly machine: string;
  readonly retention: Config['retention'];
  /** The way out, to what is configured to be fetched. */
  readonly fetchOutbound: GuardedFetch;
  /** Aborts when the server begins to shut down. */
  readonly shutdown: AbortSignal;
}

/** For tests: what is given is used as it is, and stays open. */
export interface ContextOverrides {
  readonly clock?: Clock;
  readonly database?: Database;
  readonly blobs?: BlobStore;
  readonly logger?: Logger;
}

export interface OpenContext {
  readonly context: Context;
  /** Aborts `shutdown`. */
  readonly beginShutdown: () => void;
  readonly close: () => Promise<void>;
}

/** @throws unavailable, conflict or configInvalid when a store can't be opened as configured */
export async function openContext(config: Config, overrides: ContextOverrides = {}): Promise<OpenContext> {
  const clock = overrides.clock ?? systemClock;
  const logger = overrides.logger ?? createLogger(config, config.http.processes > 1 ? 0 : undefined);
  const opened: { close(): Promise<void> }[] = [];
  const shutdown = new AbortController();
  const close = async () => {
    for (const store of opened.reverse()) await store.close();
  };
  try {
    const database =
      overrides.database ??
      (await openDatabase(config.database, {
        region: config.region,
        clock,
        othersRead: config.http.processes > 1,
        onError: logged(logger),
      }));
    if (!overrides.database) opened.push(database);
    if (config.blobs.kind === 'filesystem')
      await mkdir(config.blobs.folder, { recursive: true, mode: 0o700 });
    const blobs = overrides.blobs ?? (await openBlobStore(config.blobs, config.region));
    if (!overrides.blobs) opened.push(blobs);
    const foreground = new Foreground(clock);
    const inspector = openInspector(config, {
      blobs,
      clock,
      foreground,
      given: overrides.blobs !== undefined,
    });
    opened.push(inspector);
    const context = contextOf(config, {
      clock,
      logger,
      database,
      blobs,
      inspector,
      foreground,
      shutdown: shutdown.signal,
    });
    return { context, beginShutdown: () => shutdown.abort(), close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Opened = Pick<
  Context,
  'clock' | 'logger' | 'database' | 'blobs' | 'inspector' | 'foreground' | 'shutdown'
>;

function contextOf(config: Config, opened: Opened): Context {
  const service = serviceOf(config);
  const { database, clock, foreground } = opened;
  const replication = openReplication({ ...opened, config });
  const secretFits = secretsChecked(clock);
  return {
    ...opened,
    config,
    service,
    replication,
    leases: replication.leases,
    startedAtMs: clock.wallMs(),
    fetchRemote: replication.fetchRemote,
    version: lazaretVersion,
    region: config.region,
    primary: config.primary,
    digests: new RunningDigests(),
    sparse: sparsePolicy(config.push.sparse),
    peers: config.peers,
    metrics: createMetrics({ database }),
    ledger: new PullLedger(clock),
    openStreams: new OpenStreams(),
    openManifests: openManifestsKept(),
    authenticator: openAuthenticator({
      database,
      clock,
      service,
      anonymousPull: config.access.anonymousPull,
      secretFits,
    }),
    secretFits,
    requestRate: new RequestRate(clock, config.access.requestsPerMinute),
    pace: yieldingPace({ clock, foreground }),
    graceMs: config.collection.graceMs,
    machine: hostname(),
    retention: config.retention,
    fetchOutbound: guardedFetch({ allowed: config.outbound.private }),
  };
}

/** At most so many and so much, in each process. */
export function openManifestsKept(): OpenManifests {
  return new AnswersAtHead({
    entries: limits.manifestsRememberedMax,
    bytes: limits.manifestsRememberedBytesMax,
  });
}

export function serviceOf({ region }: Pick<Config, 'region'>): string {
  return `lazaret-${region}`;
}

/** @param number of the process, where there are several */
export function createLogger(config: Config, number?: number): Logger {
  return pino({
    level: config.log.level,
    base: { region: config.region, ...(number === undefined ? {} : { process: number }) },
    timestamp: pino.stdTimeFunctions.isoTime,
  });
}

export function logged(logger: Logger): (error: Error) => void {
  return (error) => logger.warn({ error: causeChain(error) }, 'database connection failed');
}
