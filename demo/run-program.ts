import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

interface ProgramOptions {
  readonly cwd: string;
  /** The environment of this process unless told. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly input?: string;
  /** Ends it by KILL. */
  readonly signal: AbortSignal;
}

export interface ProgramResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program. It has ended when this resolves or rejects, so that it writes nothing afterwards. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { cwd, env, input = '', signal }: ProgramOptions,
): Promise<ProgramResult> {
  signal.throwIfAborted();
  // In a group of its own: Ctrl-C at the terminal is the demo's to deal with.
  const child = spawn(program, args, { cwd, ...(env && { env }), detached: true });
  const kill = () => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const ended = new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
  child.stdin.on('error', () => {}); // it ended without reading; its exit code says more
  child.stdin.end(input);
  try {
    const [exitCode, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
    signal.throwIfAborted();
    return { exitCode, stdout, stderr };
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** Like Promise.all, but also after a failure it waits for all. */
export async function allDone<T>(work: readonly Promise<T>[]): Promise<T[]> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
