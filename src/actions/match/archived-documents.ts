/** OSV documents in the files of an archive. A file that can't be had is one broken document; the others still come. */
import { ContentProblem } from '../../lib/content-problem.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { Spool } from '../../lib/spool.ts';
import type { ByteSource } from '../../lib/streams.ts';
import { type TarEntry, TarParser } from '../../lib/tar-parser.ts';
import { readZipDirectory, readZipEntry, type ZipContent } from '../../lib/zip.ts';
import { type OsvReading, readOsvDocument } from '../../versions/osv/read-documents.ts';
import { documentKind, documentReadings } from './document-readings.ts';

/** Others that lie beside them (a licence, a read-me) are no documents. */
function holdsDocuments(path: string): boolean {
  return /\.(?:json|jsonl|ndjson)(?:\.gz|\.zst)?$/i.test(path) && !/(?:^|\/)\._[^/]*$/.test(path);
}

const tarHeaderBytesMax = 1024 * 1024;
const zipLimits = {
  archiveMembersMax: limits.advisoryFilesMax,
  archiveDirectoryBytesMax: limits.advisoryDirectoryBytesMax,
};

/** By the directory, as whoever wrote it means it. */
export async function* zipReadings(source: ByteSource, name: string): AsyncGenerator<OsvReading> {
  const spool = new Spool();
  try {
    let sizeBytes = 0;
    for await (const chunk of source) {
      spool.append(chunk);
      sizeBytes += chunk.length;
    }
    const read = (offset: number, length: number) =>
      spool.read(offset, Math.max(0, Math.min(length, sizeBytes - offset)));
    yield* zipMembers({ sizeBytes, read }, name);
  } finally {
    spool.close();
  }
}

async function* zipMembers(content: ZipContent, name: string): AsyncGenerator<OsvReading> {
  const directory = attempt(() => readZipDirectory(content, zipLimits));
  if (directory instanceof LazaretError) return yield broken(name, 'the archive', directory);
  for (const entry of directory.entries) {
    if (!holdsDocuments(entry.name)) continue;
    const bytesMax = limits.advisoryFileBytesMax;
    const bytes = attempt(() => readZipEntry(content, directory, { entry, bytesMax }));
    if (bytes instanceof LazaretError) yield broken(name, entry.name, bytes);
    else yield* memberReadings(bytes, memberName(name, entry.name));
  }
}

/** In the order of the archive, as it comes. */
export async function* tarReadings(source: ByteSource, name: string): AsyncGenerator<OsvReading> {
  const members = new TarMembers();
  const parser = new TarParser(members, {
    headerBytesMax: tarHeaderBytesMax,
    problem: (message) => new ContentProblem(message),
  });
  for await (const chunk of source) {
    const stopped = attempt(() => parser.push(chunk));
    for (const { path, bytes } of members.take())
      if (bytes instanceof LazaretError) yield broken(name, path, bytes);
      else yield* memberReadings(bytes, memberName(name, path));
    if (stopped instanceof LazaretError) return yield broken(name, 'the archive', stopped);
  }
  const cut = attempt(() => parser.end());
  if (cut instanceof LazaretError) yield broken(name, 'the archive', cut);
}

interface Member {
  readonly path: string;
  readonly bytes: Buffer | LazaretError;
}

class TarMembers {
  #ready: Member[] = [];
  #path: string | undefined;
  #parts: Buffer[] = [];

  entry({ rawPath, type, sizeBytes }: TarEntry): void {
    this.#parts = [];
    this.#path = type === 'file' && holdsDocuments(rawPath) ? rawPath : undefined;
    if (this.#path === undefined || sizeBytes <= limits.advisoryFileBytesMax) return;
    this.#ready.push({ path: rawPath, bytes: tooLarge(sizeBytes) });
    this.#path = undefined;
  }

  data(bytes: Uint8Array): void {
    if (this.#path !== undefined) this.#parts.push(Buffer.from(bytes));
  }

  entryEnd(): void {
    if (this.#path !== undefined) this.#ready.push({ path: this.#path, bytes: Buffer.concat(this.#parts) });
    this.#path = undefined;
    this.#parts = [];
  }

  take(): readonly Member[] {
    const ready = this.#ready;
    this.#ready = [];
    return ready;
  }
}

/** Most files of an archive are one document: that is read without a stream. */
async function* memberReadings(bytes: Uint8Array, name: string): AsyncGenerator<OsvReading> {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 4_096)).toString('utf8');
  const kind = documentKind(head);
  if (!head.startsWith('{') || (kind === 'jsonl' && bytes.includes(newline, 0) && hasMoreLines(bytes)))
    return yield* documentReadings(once(bytes), { name, kind });
  const fits = bytes.length <= limits.advisoryBytesMax;
  yield { ...readOsvDocument({ where: 'document', bytes: fits ? bytes : undefined }), where: name };
}

const newline = 0x0a;

/** Something else than blanks follows the first line. */
function hasMoreLines(bytes: Uint8Array): boolean {
  return bytes.subarray(bytes.indexOf(newline)).some((byte) => byte > 0x20);
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function memberName(archive: string, path: string): string {
  return archive === '' ? path : `${archive}!/${path}`;
}

function broken(archive: string, path: string, error: LazaretError): OsvReading {
  return { ok: false, where: memberName(archive, path), error };
}

function attempt<T>(read: () => T): T | LazaretError {
  try {
    return read();
  } catch (cause) {
    if (cause instanceof ContentProblem) return new LazaretError('invalid', cause.message, { cause });
    throw cause;
  }
}

function tooLarge(bytes: number): LazaretError {
  return new LazaretError('tooLarge', `${bytes} bytes; at most ${limits.advisoryFileBytesMax} are read`, {
    detail: { limit: 'advisoryFileBytesMax' },
  });
}
