import { readFile } from 'node:fs/promises';

const kib = 1024;

export interface ProcessMemory {
  /** All that is resident, in MB (10⁶ bytes). */
  readonly residentMb: number;
  /** The part of it that is of files: Node's own program, mostly, which processes share. */
  readonly fileMb: number;
  /** The most that was ever resident. */
  readonly peakMb: number;
}

/** As Linux counts it (proc(5), VmRSS, RssFile and VmHWM). */
export async function processMemory(pid: number): Promise<ProcessMemory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return {
    residentMb: megabytes(status, 'VmRSS'),
    fileMb: megabytes(status, 'RssFile'),
    peakMb: megabytes(status, 'VmHWM'),
  };
}

function megabytes(status: string, name: string): number {
  const text = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (text === undefined) throw new Error(`/proc does not tell ${name}`);
  return (Number(text) * kib) / 1e6;
}
