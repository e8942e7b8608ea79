/**
 * Runs the tests, all of them or those whose path contains one of the arguments, and prints `N passed, N failed` as the
 * last line. Temporary files of the whole run lie in one folder, which is removed however the run ends.
 *
 * Ctrl-C and SIGTERM let the tests that are running end, so that they clean up; a second one, or 15 s, ends it at once.
 */
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVitest, type Vitest } from 'vitest/node';
import { type Counts, countTests, summaryLine } from './test-summary.ts';

const interruptedExitCode = 130;
const interruptedWaitMs = 15_000;
const sameSignalMs = 500;

const folder = mkdtempSync(join(tmpdir(), 'lazaret-test-'));
chmodSync(folder, 0o1777); // as /tmp is: PostgreSQL runs as another user when the tests run as root
process.env.TMPDIR = folder;
process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));

const vitest = await createVitest('test', { watch: false, run: true });
const interrupted = stopOnSignals(vitest);
const counts = await runTests(vitest, process.argv.slice(2));
console.log(`\n${summaryLine(counts)}`);
if (interrupted()) process.exit(interruptedExitCode);
process.exit(counts.failed > 0 || counts.passed === 0 ? 1 : 0);

async function runTests(vitest: Vitest, filters: string[]): Promise<Counts> {
  try {
    const { testModules, unhandledErrors } = await vitest.start(filters);
    return countTests(testModules, unhandledErrors.length);
  } finally {
    await vitest.close();
  }
}

function stopOnSignals(vitest: Vitest): () => boolean {
  let firstMs: number | undefined;
  const stop = () => {
    // Ctrl-C arrives twice: from the terminal, and passed on by npm.
    if (firstMs !== undefined && performance.now() - firstMs < sameSignalMs) return;
    if (firstMs !== undefined) process.exit(interruptedExitCode);
    firstMs = performance.now();
    setTimeout(() => process.exit(interruptedExitCode), interruptedWaitMs).unref();
    void vitest.cancelCurrentRun('keyboard-input');
  };
  // vitest's own listeners would end the process at once, and with it the cleaning up of the tests that are running.
  process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  return () => firstMs !== undefined;
}
