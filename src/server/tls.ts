import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createSecureContext, Server as TlsServer } from 'node:tls';
import type { Logger } from 'pino';
import { causeChain, LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { Task } from '../lib/task.ts';
import type { TlsFiles } from './config/config.ts';

/**
 * The certificate that the server shows. The files are read again every few seconds, and when the process is told to
 * (SIGHUP), so that a renewal needs no restart: new connections get the new certificate, open ones go on. Files that are
 * half written, or do not belong together, change nothing but the log; what was served before is served on.
 */
export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** @throws configInvalid for files that can't be read, are no PEM or don't belong together */
export async function tlsPair({ cert, key }: TlsFiles): Promise<TlsPair> {
  const pair = { cert: await content(cert, 'listen.tls.cert'), key: await content(key, 'listen.tls.key') };
  try {
    createSecureContext(pair);
    if (!new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key)))
      throw new Error('the key is of another certificate');
  } catch (cause) {
    throw new LazaretError(
      'configInvalid',
      `${cert} and ${key} are no pair of a certificate and its key: ${causeChain(cause)}`,
      { detail: { path: 'listen.tls.cert' }, cause },
    );
  }
  return pair;
}

export interface TlsReload {
  /** Looks at the files now. @returns whether there was something new, which is served from here on */
  readonly look: () => Promise<boolean>;
  readonly task: Task;
}

export interface TlsReloadParts {
  readonly files: TlsFiles;
  /** What is served. */
  readonly pair: TlsPair;
  readonly server: Server;
  readonly logger: Logger;
}

const lookEveryMs = 10_000;

export function tlsReload({ files, pair, server, logger }: TlsReloadParts): TlsReload {
  let seen = fingerprint(pair);
  let problem = '';
  const look = async (): Promise<boolean> => {
    try {
      const fresh = await tlsPair(files);
      problem = '';
      if (fingerprint(fresh) === seen) return false;
      if (!(server instanceof TlsServer)) throw new TypeError('the server does not speak TLS');
      server.setSecureContext(fresh);
      seen = fingerprint(fresh);
      logger.info(certificateFacts(fresh.cert), 'the certificate was changed');
      return true;
    } catch (error) {
      if (!(error instanceof LazaretError)) throw error;
      // Said once, not every few seconds.
      if (problem !== error.message)
        logger.error(
          { error: causeChain(error) },
          'the new certificate is not taken; the old one is served on',
        );
      problem = error.message;
      return false;
    }
  };
  const run = async () => ((await look()) ? ('worked' as const) : ('idle' as const));
  return { look, task: { name: 'certificate', periodMs: lookEveryMs, calmMs: limits.taskCalmMs, run } };
}

async function content(file: string, path: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new LazaretError('configInvalid', `${path}: ${file} can't be read`, { detail: { path }, cause });
  }
}

function fingerprint({ cert, key }: TlsPair): string {
  return createHash('sha256').update(cert).update('\n').update(key).digest('hex');
}

/** Of the first certificate of the chain: the server's own. */
function certificateFacts(cert: string) {
  const { subject, subjectAltName, validTo } = new X509Certificate(cert);
  return { subject, names: subjectAltName, validTo };
}
