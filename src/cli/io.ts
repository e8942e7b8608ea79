import { readFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import type { Client, Credentials } from '../client/client.ts';
import { type ErrorCode, LazaretError } from '../lib/errors.ts';
import { credentialsFor } from './credentials.ts';

/** What a command may touch of the process that runs it; tests give their own. */
export interface CliIo {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly homeFolder: string;
  readonly stdin: Readable;
  /** Whether a person looks at standard output. */
  readonly terminal: boolean;
  /** Aborts at Ctrl-C or TERM. */
  readonly signal: AbortSignal;
  /** Writes one line to standard output. */
  readonly out: (line: string) => void;
  /** Writes one line to standard error. */
  readonly note: (line: string) => void;
  /** Where a person looks at standard error: writes over the line written so before; '' takes it away. */
  readonly status?: (text: string) => void;
  /** What the process will exit with, unless something worse is said as well. */
  readonly exit: (code: ExitCode) => void;
}

/** 0 fine and complete, 1 failed, 2 found or refused, 3 unknown or incomplete. */
export type ExitCode = 0 | 1 | 2 | 3;

/** A failure outranks a finding, which outranks an incomplete answer. */
export function worseExit(a: ExitCode, b: ExitCode): ExitCode {
  const order: readonly ExitCode[] = [0, 3, 2, 1];
  return order.indexOf(a) > order.indexOf(b) ? a : b;
}

export interface ServerOptions {
  /** From `--server`. */
  readonly server?: string;
  /** From `--ca`. */
  readonly ca?: string;
}

export const serverDefault = 'http://localhost:5000';

/** The server that the command talks to, with docker's own credentials for it. @throws invalid */
export async function clientOf(io: CliIo, options: ServerOptions): Promise<Client> {
  const url = serverUrl(options.server ?? io.env.LAZARET_SERVER ?? serverDefault);
  const credentials: Credentials | undefined = await credentialsFor(io, new URL(url).host);
  return { url, credentials, ...(await trustOf(io, options)) };
}

/** Whose certificates are trusted, from `--ca` or LAZARET_CA. @throws invalid */
export async function trustOf(
  io: Pick<CliIo, 'env'>,
  { ca }: Pick<ServerOptions, 'ca'>,
): Promise<{ readonly ca?: string }> {
  const file = ca ?? io.env.LAZARET_CA ?? '';
  if (file === '') return {};
  try {
    return { ca: await readFile(file, 'utf8') };
  } catch (cause) {
    throw new LazaretError('invalid', `the certificates in ${file} can't be read`, {
      detail: { path: 'ca' },
      cause,
    });
  }
}

/** Adds the scheme that docker would use: plain for this machine, TLS for others. @throws invalid */
export function serverUrl(text: string): string {
  const local = /^(localhost|127\.|\[::1\])/.test(text);
  const full = /^https?:\/\//.test(text) ? text : `${local ? 'http' : 'https'}://${text}`;
  if (!URL.canParse(full))
    throw new LazaretError('invalid', `'${text}' is not the address of a server`, {
      detail: { path: 'server' },
    });
  return new URL(full).origin;
}

/** Prints what went wrong, and what to do about it. @returns the exit code */
export function reportError(io: CliIo, error: unknown): ExitCode {
  if (!(error instanceof LazaretError)) {
    if (error instanceof Error && error.name === 'AbortError' && io.signal.aborted) return 1;
    io.note(`error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    return 1;
  }
  io.note(`error: ${error.message} (${error.code})`);
  const hint = hints[error.code];
  if (hint) io.note(`  ${hint}`);
  return refusals.has(error.code) ? 2 : 1;
}

const refusals = new Set<ErrorCode>(['denied', 'quarantined', 'grantMissing']);

const hints: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'log in with: lazaret login --username NAME --password-stdin',
  unavailable: 'is the server running? start one with: lazaret serve',
  planStale: 'what it would do has changed since; look at a fresh plan, then apply that',
  dataFolderInUse: 'stop the other server, or give this one a data folder of its own: LAZARET_DATA=…',
};
