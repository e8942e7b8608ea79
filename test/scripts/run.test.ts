import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const runProcess = promisify(execFile);
const repository = new URL('../..', import.meta.url).pathname;
const folder = await mkdtemp(join(tmpdir(), 'lazaret-run-'));
const script = join(folder, 'scripts/run');
/** A stand-in for npm that notes its calls and fails when told to. */
const fakeNpm = `#!/bin/sh
[ -e "${folder}/no-network" ] && { echo 'npm error ENOTFOUND' >&2; exit 1; }
echo "$*" >> "${folder}/calls"; mkdir -p "$3/node_modules"`;

beforeAll(async () => {
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/npm'), fakeNpm);
  await chmod(join(folder, 'bin/npm'), 0o755);
  for (const path of ['scripts/run', 'package.json', 'package-lock.json', 'tools/node/package-lock.json'])
    await cp(join(repository, path), join(folder, path));
});
afterAll(() => rm(folder, { recursive: true }));

const env = { PATH: `${folder}/bin:/usr/bin:/bin` };
const calls = async () => (await runProcess('cat', [join(folder, 'calls')])).stdout.trim().split('\n');

test('a failing installation is told in one sentence, and the next run tries it again', async () => {
  await writeFile(join(folder, 'no-network'), '');
  await expect(runProcess(script, ['true'], { env })).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/lazaret: Node 24 could not be installed; .*\n$/),
  });
  await rm(join(folder, 'no-network'));
  await runProcess(script, ['true'], { env });
  expect(await calls()).toEqual([
    expect.stringContaining('--prefix tools/node'),
    expect.stringContaining('--prefix .'),
  ]);
});

test('nothing is installed again until a lock file changes', async () => {
  await runProcess(script, ['true'], { env });
  expect(await calls()).toHaveLength(2);
  await writeFile(join(folder, 'package-lock.json'), '{}');
  await runProcess(script, ['true'], { env });
  expect((await calls()).slice(2)).toEqual([expect.stringContaining('--prefix .')]);
});

test('the exit code and the arguments are those of the command', async () => {
  const command = ['sh', '-c', 'echo "$1"; exit 7', 'sh', 'a  b'];
  await expect(runProcess(script, command, { env })).rejects.toMatchObject({ code: 7, stdout: 'a  b\n' });
});

test('a signal reaches the command', async () => {
  const child = spawn(script, ['sh', '-c', 'trap "exit 5" TERM; echo ready; while :; do read line; done'], {
    env,
  });
  await once(child.stdout, 'data');
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([5, null]);
});
