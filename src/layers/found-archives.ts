import { memberPath } from './entry-path.ts';
import type { ArchiveMember, FoundArchive } from './inventory.ts';

interface Source {
  readonly sha256: Uint8Array;
  readonly members: readonly ArchiveMember[];
  /** Of the extractor that read it. */
  readonly version: number;
}

/**
 * One archive for each that was read, since what lies in another often lies elsewhere too: the file's own first, with the
 * places of the others in it. Each member is the innermost archive's that it is in.
 */
export function archivesOf({ sha256, members, version }: Source): FoundArchive[] {
  const hashes = new Map(members.map((member) => [member.path, member.sha256]));
  const byArchive = Map.groupBy(members, ({ path }) => archiveIn(path, hashes));
  const nested = [...byArchive.keys()].flatMap((path) => {
    const own = path === '' ? undefined : hashes.get(path);
    return own === undefined ? [] : [{ path, sha256: own }];
  });
  const found = [columns({ sha256, version, nested, path: '' }, byArchive.get('') ?? [])];
  const seen = new Set<string>([hex(sha256)]);
  for (const archive of nested) {
    if (seen.has(hex(archive.sha256))) continue;
    seen.add(hex(archive.sha256));
    found.push(columns({ ...archive, version, nested: [] }, byArchive.get(archive.path) ?? []));
  }
  return found;
}

/** Path of the archive that a member lies in, '' of the outermost. `!/` also ends the name of an odd folder. */
function archiveIn(path: string, hashes: ReadonlyMap<string, unknown>): string {
  for (let at = path.lastIndexOf('!/'); at > 0; at = path.lastIndexOf('!/', at - 1))
    if (hashes.get(path.slice(0, at)) !== undefined) return path.slice(0, at);
  return '';
}

interface Own extends Pick<FoundArchive, 'sha256' | 'version' | 'nested'> {
  readonly path: string;
}

function columns({ path, ...own }: Own, members: readonly ArchiveMember[]): FoundArchive {
  const start = path === '' ? 0 : memberPath(path, '').length;
  const hashes = new Uint8Array(members.length * 32);
  for (const [index, { sha256 }] of members.entries())
    if (sha256 !== undefined) hashes.set(sha256, index * 32);
  return {
    ...own,
    paths: members.map((member) => member.path.slice(start)),
    sizes: Float64Array.from(members, ({ sizeBytes }) => sizeBytes),
    hashes,
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
