import { spawn } from 'node:child_process';
import { LazaretError } from '../../lib/errors.ts';

export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ToolOptions {
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
}

/** What the tools that are run here see of the environment: none of the agent's own settings or tokens. */
export const toolEnvironment = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
} as const;

const outputBytesMax = 16 * 1024 * 1024;

/**
 * Runs a program to its end; a failing exit code is an answer. Output over 16 MiB is cut off.
 * @throws unavailable when it can't be run, was ended by a signal, or `signal` aborted (which ends it)
 */
export function runTool(
  program: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: toolEnvironment,
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(options.cwd !== undefined && { cwd: options.cwd }),
      ...(options.signal && { signal: options.signal, killSignal: 'SIGKILL' }),
    });
    const stdout = gather(child.stdout);
    const stderr = gather(child.stderr);
    let failure: unknown;
    child.on('error', (cause) => {
      failure = cause;
      // Aborted rather than never begun: the answer waits for its end, so that it writes nothing after that.
      if (child.pid === undefined)
        reject(new LazaretError('unavailable', `${program} could not be run`, { cause }));
    });
    child.on('close', (exitCode, ended) => {
      if (exitCode !== null && failure === undefined)
        return resolve({ exitCode, stdout: stdout(), stderr: stderr() });
      const how = failure === undefined ? `by ${ended}` : 'early';
      reject(new LazaretError('unavailable', `${program} was ended ${how}`, { cause: failure }));
    });
  });
}

function gather(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = [];
  let bytes = 0;
  stream.on('data', (chunk: Buffer) => {
    if (bytes < outputBytesMax) chunks.push(chunk);
    bytes += chunk.length;
  });
  return () => Buffer.concat(chunks).toString('utf8').slice(0, outputBytesMax);
}
