/** The files of an image as find and sha256sum see them where umoci has unpacked it, and as the inventory lists them. */
import { lines, output } from './installed.ts';
import type { ListedFile } from './real-image.ts';

const kinds: Readonly<Record<string, string>> = {
  b: 'device',
  c: 'device',
  d: 'directory',
  f: 'file',
  l: 'link',
};

/** `PATH KIND MODE`, of regular files with size and sha256. */
export async function unpackedFiles(root: string): Promise<string[]> {
  const sums = new Map<string, string>();
  const hashed = 'find "$1" -xdev -type f -print0 | xargs --null --no-run-if-empty sha256sum --zero';
  for (const sum of (await output('sh', ['-c', hashed, 'sh', root])).split('\0'))
    sums.set(sum.slice(66 + root.length + 1), sum.slice(0, 64));
  const found = await output('find', [root, '-xdev', '-mindepth', '1', '-printf', '%P\\t%y\\t%m\\t%s\\n']);
  return lines(found).map((line) => {
    const [path = '', kind = '', mode = '', size = ''] = line.split('\t');
    const content = kind === 'f' ? ` ${size} ${sums.get(path)}` : '';
    return `${path} ${kinds[kind]} ${mode}${content}`;
  });
}

/** A hard link is listed with the content of what it leads to; to find it is a file like its other names. */
export function listedFiles(files: readonly ListedFile[]): string[] {
  return files.map(({ path, kind, mode, sizeBytes, sha256 }) => {
    const isFile = kind === 'file' || kind === 'hardlink';
    return `${path} ${isFile ? 'file' : kind} ${mode.toString(8)}${isFile ? ` ${sizeBytes} ${sha256}` : ''}`;
  });
}
