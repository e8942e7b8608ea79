/** `npm run ok`: all that can be checked in a minute. Every check runs, also after one that failed. */
import { spawnSync } from 'node:child_process';

const checks = [
  { name: 'format and lint', command: ['biome', 'ci', '--colors=off', '.'] },
  { name: 'types', command: ['node', 'node_modules/ts7/lib/tsc.js', '--noEmit', '-p', 'tsconfig.json'] },
  { name: 'tidy and unit tests', command: ['node', 'scripts/test.ts', 'src/', 'test/tidy/'] },
] as const;

const results = checks.map(({ name, command: [program, ...args] }) => {
  const startedMs = performance.now();
  const { status } = spawnSync(program, args, { stdio: 'inherit' });
  return { name, ok: status === 0, ms: Math.round(performance.now() - startedMs) };
});

for (const { name, ok, ms } of results) console.log(`${ok ? 'ok    ' : 'FAILED'} ${name} (${ms} ms)`);
process.exit(results.every(({ ok }) => ok) ? 0 : 1);
