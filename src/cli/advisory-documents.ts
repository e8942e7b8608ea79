/** What `advisory import` is given, as one stream: a file, a folder (sent as a tar), standard input, or an address. */
import { createReadStream } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join, relative, sep } from 'node:path';
import { LazaretError } from '../lib/errors.ts';
import { tarEnd, tarFileHeader, tarPadding } from '../lib/tar-write.ts';
import type { CliIo } from './io.ts';

export interface GivenDocuments {
  /** With which the places of documents begin. */
  readonly file: string;
  readonly stream: AsyncIterable<Uint8Array>;
}

/** Opened before anything is sent. @throws invalid, unavailable (an address) */
export async function givenDocuments(
  io: Pick<CliIo, 'stdin' | 'signal'>,
  place: string,
): Promise<GivenDocuments> {
  if (place === '-') return { file: '', stream: io.stdin };
  if (/^https?:\/\//.test(place)) return fetched(place, io.signal);
  try {
    const found = await stat(place);
    if (found.isDirectory()) return { file: '', stream: folderTar(place) };
    return { file: basename(place), stream: (await open(place)).createReadStream() };
  } catch (cause) {
    throw new LazaretError('invalid', `${place} can't be read`, { cause });
  }
}

const redirectionsMax = 5;
const silenceMs = 60_000;

/** By this machine, not by the server: an address that a server is told to fetch may be one that only it reaches. */
async function fetched(url: string, signal: AbortSignal): Promise<GivenDocuments> {
  const { Agent, interceptors, request } = await import('undici');
  const dispatcher = new Agent().compose(interceptors.redirect({ maxRedirections: redirectionsMax }));
  try {
    const { statusCode, body } = await request(url, {
      dispatcher,
      signal,
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
    });
    if (statusCode === 200) return { file: basename(new URL(url).pathname), stream: body };
    await body.dump();
    throw new LazaretError('unavailable', `${url} answered ${statusCode}`);
  } catch (cause) {
    if (cause instanceof LazaretError || signal.aborted) throw cause;
    throw new LazaretError('unavailable', `${url} can't be fetched`, { cause });
  }
}

/** All JSON files below the folder; links are not followed. */
async function* folderTar(folder: string): AsyncGenerator<Uint8Array> {
  for await (const path of filesBelow(folder)) {
    const { size } = await stat(path);
    yield tarFileHeader(relative(folder, path).split(sep).join('/'), size);
    yield* exactly(createReadStream(path, size === 0 ? {} : { end: size - 1 }), { path, size });
    yield tarPadding(size);
  }
  yield tarEnd;
}

async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory() && entry.name !== '.git') yield* filesBelow(path);
    else if (entry.isFile() && /\.(?:json|jsonl|ndjson)(?:\.gz|\.zst)?$/i.test(entry.name)) yield path;
  }
}

/** A file that has become shorter since its header was sent would shift all that follows. */
async function* exactly(
  source: AsyncIterable<Uint8Array>,
  { path, size }: { readonly path: string; readonly size: number },
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of source) {
    bytes += chunk.length;
    yield chunk;
  }
  if (bytes !== size) throw new LazaretError('conflict', `${path} changed while it was read`);
}
