import {
  AggregatorRegistry,
  Counter,
  collectDefaultMetrics,
  Gauge,
  Histogram,
  type MetricObjectWithValues,
  type MetricValue,
  Registry,
} from 'prom-client';
import { clockSuspicion, collectorOff } from '../../records/collection/collector-state.ts';
import { condemnedTotal } from '../../records/collection/sweep.ts';
import type { Database } from '../../records/db/database.ts';
import { jobCounts } from '../../records/jobs/jobs.ts';
import { logHead } from '../../records/log/log.ts';
import { uploadsOpen } from '../../records/uploads/uploads.ts';
import { addRegionMetrics } from './region-metrics.ts';

/** What /metrics shows. Labels never hold names of repositories, of which there may be any number. */
export interface Metrics extends ProcessMetrics {
  readonly collected: (freed: { blobs: number; bytes: number }) => void;
  readonly text: () => Promise<string>;
  readonly contentType: string;
}

/** What each process of a server counts for itself. */
export interface ProcessMetrics {
  readonly requestEnded: (request: { method: string; route: string; code: number; seconds: number }) => void;
  readonly uploadEnded: (bytes: number) => void;
  readonly snapshot: () => Promise<MetricsSnapshot>;
}

/** Plain data, which passes between processes. */
export type MetricsSnapshot = readonly MetricObjectWithValues<MetricValue<string>>[];

export function createMetrics({ database }: { readonly database: Database }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const collected = collectedCounters(registers);
  gauge(
    'lazaret_uploads_open',
    'Uploads that have begun and not ended',
    () => uploadsOpen(database.read),
    registers,
  );
  gauge('lazaret_log_head', 'Position of the newest event', () => logHead(database.read), registers);
  gauge(
    'lazaret_clock_suspect',
    '1 while the clock is in doubt, so that nothing expires',
    async () => ((await clockSuspicion(database.read)) ? 1 : 0),
    registers,
  );
  gauge(
    'lazaret_collector_off',
    '1 from a restore until a scrub has ended',
    async () => ((await collectorOff(database.read)) === undefined ? 0 : 1),
    registers,
  );
  gauge(
    'lazaret_condemned_bytes',
    'Bytes that no row needs any more and that are not deleted yet',
    async () => (await condemnedTotal(database.read)).sizeBytes,
    registers,
  );
  addJobMetrics(registers, database);
  addRegionMetrics(registry, database);
  return {
    ...createProcessMetrics(registry),
    collected,
    text: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

export function createProcessMetrics(registry = new Registry()): ProcessMetrics {
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'lazaret_http_request_duration_seconds',
    help: 'From the request line to the last byte of the answer',
    labelNames: ['method', 'route', 'code'],
    buckets: [0.005, 0.02, 0.1, 0.5, 2, 10, 60],
    registers,
  });
  const uploaded = new Counter({
    name: 'lazaret_uploaded_bytes_total',
    help: 'Bytes of blobs received',
    registers,
  });
  return {
    requestEnded: ({ method, route, code, seconds }) =>
      requests.observe({ method, route, code: String(code) }, seconds),
    uploadEnded: (bytes) => uploaded.inc(bytes),
    snapshot: () => registry.getMetricsAsJSON(),
  };
}

/** Those of several processes as one: what is counted is added up. */
export function metricsTogether(snapshots: readonly MetricsSnapshot[]): Registry {
  return AggregatorRegistry.aggregate(snapshots.map((snapshot) => [...snapshot]));
}

/** What must not go back when a process has ended: its counts. */
export async function countsOf(snapshots: readonly MetricsSnapshot[]): Promise<MetricsSnapshot> {
  const all: MetricsSnapshot = await metricsTogether(snapshots).getMetricsAsJSON();
  const counted = new Set(['counter', 'histogram']);
  return all.filter(({ type }) => counted.has(String(type)));
}

function collectedCounters(registers: Registry[]): Metrics['collected'] {
  const blobs = new Counter({
    name: 'lazaret_collected_blobs_total',
    help: 'Copies of blobs that this process has deleted',
    registers,
  });
  const freed = new Counter({
    name: 'lazaret_collected_bytes_total',
    help: 'Bytes that this process has freed',
    registers,
  });
  return (done) => {
    blobs.inc(done.blobs);
    freed.inc(done.bytes);
  };
}

function gauge(name: string, help: string, read: () => Promise<number>, registers: Registry[]): void {
  new Gauge({
    name,
    help,
    registers,
    async collect() {
      this.set(await read());
    },
  });
}

function addJobMetrics(registers: Registry[], database: Database): void {
  new Gauge({
    name: 'lazaret_jobs',
    help: 'Background jobs by kind and state; dead ones were given up',
    labelNames: ['kind', 'state'],
    registers,
    async collect() {
      this.reset();
      for (const { kind, state, count } of await jobCounts(database.read)) this.set({ kind, state }, count);
    },
  });
}
