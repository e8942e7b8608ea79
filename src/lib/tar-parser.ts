/**
 * Walks a tar that arrives in chunks of any size, without waiting and without copying file contents: whoever listens
 * is called with slices of the chunks. It reads what Go's archive/tar would read (see lib/tar-header.ts), which includes
 * where the archive ends: at two zero blocks, whatever follows; at the end of the bytes, if that is between entries, or
 * in the padding of the last one, which some writers leave out (umoci insert).
 *
 * Per entry: `entry`, `data` (none or several times, none for a header without data), `entryEnd`.
 */
import { blockBytes, isZeroBlock, readTarBlock, sparseSize, type TarBlock } from './tar-header.ts';
import { noPax, type Pax, parsePax } from './tar-pax.ts';
import { TarProblem } from './tar-problem.ts';

export type TarType = 'file' | 'hardlink' | 'link' | 'device' | 'directory';

export interface TarEntry {
  /** As the archive has it. */
  readonly rawPath: string;
  readonly linkPath: string;
  readonly type: TarType;
  readonly mode: number;
  /** Of the data that follows; of a sparse file, when unpacked. */
  readonly sizeBytes: number;
  readonly sparse: boolean;
}

export interface TarListener {
  entry(entry: TarEntry): void;
  data(bytes: Uint8Array): void;
  entryEnd(): void;
}

export interface TarParserOptions {
  /** Of one extended header. */
  readonly headerBytesMax: number;
  /** The error of what is no tar. */
  readonly problem: (message: string) => Error;
}

type Doing = 'header' | 'sparseMap' | 'data' | 'meta' | 'padding' | 'ended';

const types: Readonly<Record<string, TarType>> = {
  '1': 'hardlink',
  '2': 'link',
  '3': 'device',
  '4': 'device',
  '5': 'directory',
  '6': 'device',
};

export class TarParser {
  readonly #listener: TarListener;
  readonly #headerBytesMax: number;
  readonly #problem: (message: string) => Error;
  #doing: Doing = 'header';
  #offset = 0;
  #left = 0;
  #padding = 0;
  readonly #partial = Buffer.alloc(blockBytes);
  #partialBytes = 0;
  #zeroBlocks = 0;
  #first = true;
  #metaType = '';
  #meta: Buffer[] = [];
  #pax: Pax = noPax;
  #longName = '';
  #longLink = '';

  constructor(listener: TarListener, { headerBytesMax, problem }: TarParserOptions) {
    this.#listener = listener;
    this.#headerBytesMax = headerBytesMax;
    this.#problem = problem;
  }

  /** @throws `problem` for what is not a tar; the parser can't be used after that. */
  push(chunk: Uint8Array): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const start = this.#offset;
    let at = 0;
    while (at < bytes.length && this.#doing !== 'ended') {
      at +=
        this.#doing === 'header' || this.#doing === 'sparseMap'
          ? this.#blockStep(bytes, at)
          : this.#bytesStep(bytes, at);
      this.#offset = start + at;
    }
  }

  /** To be called after the last chunk. @throws `problem` when the archive ends inside an entry. */
  end(): void {
    if (this.#doing === 'ended') return;
    const pending = this.#pax !== noPax || this.#longName !== '' || this.#longLink !== '';
    const isBetween = this.#doing === 'header' || this.#doing === 'padding';
    if (!isBetween || this.#partialBytes > 0 || pending)
      throw this.#problem(`truncated tar: it ends inside an entry, at byte ${this.#offset}`);
  }

  #blockStep(bytes: Buffer, at: number): number {
    if (this.#partialBytes === 0 && bytes.length - at >= blockBytes) {
      this.#block(bytes.subarray(at, at + blockBytes));
      return blockBytes;
    }
    const step = Math.min(blockBytes - this.#partialBytes, bytes.length - at);
    bytes.copy(this.#partial, this.#partialBytes, at, at + step);
    this.#partialBytes += step;
    if (this.#partialBytes === blockBytes) {
      this.#partialBytes = 0;
      this.#block(this.#partial);
    }
    return step;
  }

  #bytesStep(bytes: Buffer, at: number): number {
    const step = Math.min(this.#left, bytes.length - at);
    const slice = bytes.subarray(at, at + step);
    if (this.#doing === 'data') this.#listener.data(slice);
    // Copied: what is kept for a while must not keep a whole chunk in memory.
    else if (this.#doing === 'meta') this.#meta.push(Buffer.from(slice));
    this.#left -= step;
    if (this.#left === 0) this.#bytesEnd();
    return step;
  }

  #bytesEnd(): void {
    if (this.#doing === 'data') this.#listener.entryEnd();
    else if (this.#doing === 'meta') this.#metaEnd();
    const padding = this.#doing === 'padding' ? 0 : this.#padding;
    this.#doing = padding > 0 ? 'padding' : 'header';
    this.#left = padding;
  }

  #block(block: Buffer): void {
    if (this.#doing === 'sparseMap') {
      // Each block of an old GNU sparse map says in its byte 504 whether one more follows.
      if (block[504] === 0) this.#dataStart();
      return;
    }
    if (isZeroBlock(block)) {
      this.#first = false;
      this.#zeroBlocks += 1;
      if (this.#zeroBlocks === 2) this.#doing = 'ended';
      return;
    }
    if (this.#zeroBlocks > 0) throw this.#broken('an entry after a zero block');
    this.#header(block);
  }

  #header(block: Buffer): void {
    const header = this.#sound(() => readTarBlock(block));
    this.#first = false;
    this.#left = header.sizeBytes;
    this.#padding = -header.sizeBytes & (blockBytes - 1);
    if (header.type === 'x' || header.type === 'g' || header.type === 'L' || header.type === 'K')
      this.#metaStart(header.type);
    else this.#entry(header, block);
  }

  #metaStart(type: string): void {
    if (this.#left > this.#headerBytesMax)
      throw this.#broken(`a header of ${this.#left} bytes; at most ${this.#headerBytesMax} are allowed`);
    this.#metaType = type;
    this.#meta = [];
    this.#doing = 'meta';
    if (this.#left === 0) this.#bytesEnd();
  }

  #metaEnd(): void {
    const bytes = Buffer.concat(this.#meta);
    this.#meta = [];
    // Records for all entries (`g`) are read over, as runtimes do.
    if (this.#metaType === 'x') this.#pax = this.#sound(() => parsePax(bytes));
    else if (this.#metaType === 'L') this.#longName = upToNul(bytes);
    else if (this.#metaType === 'K') this.#longLink = upToNul(bytes);
  }

  #entry(header: TarBlock, block: Buffer): void {
    const pax = this.#pax;
    const rawPath = this.#longName || pax.path || header.name;
    const linkPath = this.#longLink || pax.linkPath || header.linkName;
    const type = header.type === '\0' && rawPath.endsWith('/') ? 'directory' : (types[header.type] ?? 'file');
    const dataBytes = type === 'file' ? (pax.sizeBytes ?? header.sizeBytes) : 0;
    const oldSparse = header.type === 'S';
    const sparse = oldSparse || pax.sparse;
    const sizeBytes = oldSparse ? sparseSize(block) : (pax.sparseSizeBytes ?? dataBytes);
    this.#pax = noPax;
    this.#longName = '';
    this.#longLink = '';
    this.#left = dataBytes;
    this.#padding = -dataBytes & (blockBytes - 1);
    this.#listener.entry({ rawPath, linkPath, type, mode: header.mode, sizeBytes, sparse });
    if (oldSparse && block[482] !== 0) this.#doing = 'sparseMap';
    else this.#dataStart();
  }

  #dataStart(): void {
    this.#doing = 'data';
    if (this.#left === 0) this.#bytesEnd();
  }

  #sound<T>(read: () => T): T {
    try {
      return read();
    } catch (error) {
      throw error instanceof TarProblem ? this.#broken(error.message) : error;
    }
  }

  #broken(problem: string): Error {
    return this.#first
      ? this.#problem(`not a tar archive: it begins with ${problem}`)
      : this.#problem(`broken tar: ${problem}, before byte ${this.#offset + blockBytes}`);
  }
}

function upToNul(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return bytes.toString('utf8', 0, nul === -1 ? bytes.length : nul);
}
