import { readFile } from 'node:fs/promises';

/** A process of this machine; the kernel gives its number to another one later, but not with the same start. */
export interface HostProcess {
  readonly pid: number;
  readonly startTicks: string;
}

/** @returns undefined when there is none, or only its corpse */
export async function findProcess(pid: number): Promise<HostProcess | undefined> {
  // The file vanishes with the process, also between open (ENOENT) and read (ESRCH).
  const line = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined);
  if (line === undefined) return undefined;
  // proc(5): the name, in parentheses, may contain anything; state follows it, the start is 19 fields later.
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  const [state, startTicks] = [fields[0], fields[19]];
  return startTicks === undefined || state === 'Z' || state === 'X' ? undefined : { pid, startTicks };
}

export async function isAlive(process: HostProcess): Promise<boolean> {
  return (await findProcess(process.pid))?.startTicks === process.startTicks;
}
