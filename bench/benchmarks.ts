import { advisories } from './advisories/advisories.ts';
import type { Benchmark } from './benchmark.ts';
import { collect } from './collect/collect.ts';
import { inspect } from './inspect/inspect.ts';
import { loop } from './loop/loop.ts';
import { registry } from './registry/registry.ts';
import { s3 } from './s3/s3.ts';
import { scan } from './scan/scan.ts';

/** The one list of benchmarks. */
export const benchmarks: readonly Benchmark[] = [loop, registry, collect, s3, inspect, scan, advisories];
