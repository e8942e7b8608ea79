import { posix } from 'node:path';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { blockBytes, isZeroBlock, readTarBlock, type TarBlock } from '../../lib/tar-header.ts';
import { noPax, parsePax } from '../../lib/tar-pax.ts';
import { TarProblem } from '../../lib/tar-problem.ts';

/** Where an archive keeps a file. */
export interface TarSlice {
  readonly offset: number;
  readonly sizeBytes: number;
}

/** Reads up to `length` bytes at `position`. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

/** A path, without `./` and `..`, that leads to a file, or to another path. */
type Member = TarSlice | { readonly link: string };

/**
 * The files of a tar archive, found by going from header to header over the contents, which are read later where they
 * lie. As when it is unpacked, a later entry takes the place of an earlier one, and links lead to files of the archive.
 * @throws invalid for what is not a tar archive
 */
export async function tarIndex(readAt: ReadAt): Promise<ReadonlyMap<string, TarSlice>> {
  const members = new Map<string, Member>();
  let extended = noExtension;
  for (let at = 0, zeros = 0; zeros < 2; ) {
    const block = await readAt(at, blockBytes);
    if (block.length === 0 && at > 0) break; // some writers leave the two zero blocks out
    if (block.length < blockBytes) throw broken('it ends within a header', at);
    if (isZeroBlock(block)) {
      zeros += 1;
      at += blockBytes;
      continue;
    }
    const header = sound(() => readTarBlock(block), at);
    const aboutNext = 'xgLK'.includes(header.type);
    const sizeBytes = (aboutNext ? undefined : extended.sizeBytes) ?? header.sizeBytes;
    const offset = at + blockBytes;
    if (aboutNext) extended = await withExtension(extended, header, { readAt, offset });
    else {
      remember(members, { ...header, sizeBytes }, { extended, offset });
      if (members.size > limits.importEntriesMax) throw broken('it has too many entries', at);
      extended = noExtension;
    }
    at = offset + (hasData(header.type) ? Math.ceil(sizeBytes / blockBytes) * blockBytes : 0);
  }
  return files(members);
}

interface Extension {
  readonly path?: string;
  readonly link?: string;
  readonly sizeBytes?: number;
  readonly sparse?: boolean;
}

const noExtension: Extension = {};

/** Links, devices and folders may state a size and have no data. */
function hasData(type: string): boolean {
  return !'123456'.includes(type);
}

async function withExtension(
  before: Extension,
  header: TarBlock,
  { readAt, offset }: { readAt: ReadAt; offset: number },
): Promise<Extension> {
  if (header.sizeBytes > limits.layerHeaderBytesMax) throw broken('it has a header that is too long', offset);
  const bytes = await readAt(offset, header.sizeBytes);
  if (bytes.length < header.sizeBytes) throw broken('it ends within a header', offset);
  if (header.type === 'L') return { ...before, path: upToNul(bytes) };
  if (header.type === 'K') return { ...before, link: upToNul(bytes) };
  if (header.type === 'g') return before;
  const { path, linkPath, sizeBytes, sparse } = sound(() => parsePax(bytes), offset) ?? noPax;
  return {
    ...before,
    sparse,
    ...(path === undefined ? {} : { path }),
    ...(linkPath === undefined ? {} : { link: linkPath }),
    ...(sizeBytes === undefined ? {} : { sizeBytes }),
  };
}

function remember(
  members: Map<string, Member>,
  header: TarBlock,
  { extended, offset }: { extended: Extension; offset: number },
): void {
  const path = posix.normalize(extended.path ?? header.name);
  const link = extended.link ?? header.linkName;
  // A hard link names a path of the archive, a symbolic link one that is seen from its own folder.
  if (header.type === '1') members.set(path, { link: posix.normalize(link) });
  else if (header.type === '2') members.set(path, { link: posix.join(posix.dirname(path), link) });
  else if (header.type === 'S' || extended.sparse === true)
    members.delete(path); // its bytes are not in one piece
  else if (hasData(header.type)) members.set(path, { offset, sizeBytes: header.sizeBytes });
}

const linksMax = 8;

function files(members: ReadonlyMap<string, Member>): ReadonlyMap<string, TarSlice> {
  const found = new Map<string, TarSlice>();
  for (const path of members.keys()) {
    let member = members.get(path);
    for (let step = 0; member !== undefined && 'link' in member && step < linksMax; step += 1)
      member = members.get(member.link);
    if (member !== undefined && !('link' in member)) found.set(path, member);
  }
  return found;
}

function sound<T>(read: () => T, at: number): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof TarProblem ? broken(error.message, at) : error;
  }
}

function broken(problem: string, at: number): LazaretError {
  return new LazaretError('invalid', `not a tar archive, or broken: ${problem}, at byte ${at}`);
}

function upToNul(bytes: Buffer): string {
  const nul = bytes.indexOf(0);
  return bytes.toString('utf8', 0, nul === -1 ? bytes.length : nul);
}
