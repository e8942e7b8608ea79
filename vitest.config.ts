import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    setupFiles: ['test/support/worker-setup.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // For a busy machine: nothing here is judged by its speed.
    expect: { poll: { timeout: 25_000 } },
    pool: 'forks',
    // Tests wait for servers and disks too: a core is not full with one worker.
    maxWorkers: availableParallelism() + 1,
  },
});
