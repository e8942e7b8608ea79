/**
 * Ends what may outlive the demo: containers, which by design outlive their agent, and whatever a demo left that was itself
 * killed. A folder of a demo is named for its process (`demo-4711`), and `processes` in it lists what it started.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { removeTree } from '../src/agent/runtimes/container-folder.ts';
import { findProcess, isAlive } from '../src/agent/runtimes/host-process.ts';
import { openRuncRuntime } from '../src/agent/runtimes/runc.ts';
import type { RuncTools } from '../src/agent/runtimes/runc-check.ts';
import { systemClock } from '../src/lib/clock.ts';
import { processListName } from './processes.ts';

const containerStopMs = 3_000;
const killedMs = 5_000;

/** Where the agent of a demo in `folder` keeps its state. */
export function agentFolder(folder: string): string {
  return join(folder, 'agent');
}

/** Stops and removes every container that the agent of this demo has started. The agent must have ended. */
export async function endContainers(folder: string, tools: RuncTools): Promise<void> {
  const runcFolder = join(agentFolder(folder), 'runc');
  if ((await readdir(runcFolder).catch(() => [])).length === 0) return;
  const runtime = await openRuncRuntime({ folder: runcFolder, tools, clock: systemClock });
  for (const { id } of await runtime.list()) {
    await runtime.stop(id, containerStopMs);
    await runtime.remove(id);
  }
}

/** Ends and removes what demos left that were killed before they could do it themselves. */
export async function endAbandoned(parent: string, tools: RuncTools): Promise<void> {
  for (const name of await readdir(parent).catch(() => [])) {
    const pid = /^(?:demo|dev|bench)-(\d+)$/.exec(name)?.[1];
    if (pid === undefined || (await findProcess(Number(pid)))) continue;
    const folder = join(parent, name);
    for (const found of await listedProcesses(folder)) await kill(found);
    await endContainers(folder, tools);
    await removeTree(folder);
  }
}

async function listedProcesses(folder: string) {
  const lines = await readFile(join(folder, processListName), 'utf8').catch(() => '');
  return [...lines.matchAll(/^(\d+) (\d+)$/gm)].map(([, pid = '', startTicks = '']) => ({
    pid: Number(pid),
    startTicks,
  }));
}

async function kill(found: { readonly pid: number; readonly startTicks: string }): Promise<void> {
  if (!(await isAlive(found))) return;
  process.kill(found.pid, 'SIGKILL');
  const untilMs = systemClock.bootMs() + killedMs;
  while ((await isAlive(found)) && systemClock.bootMs() < untilMs) await systemClock.sleep(20);
}
