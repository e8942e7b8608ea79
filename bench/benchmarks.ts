import type { Benchmark } from './benchmark.ts';
import { collect } from './collect/collect.ts';
import { loop } from './loop/loop.ts';
import { s3 } from './s3/s3.ts';

/** The one list of benchmarks. */
export const benchmarks: readonly Benchmark[] = [loop, collect, s3];
