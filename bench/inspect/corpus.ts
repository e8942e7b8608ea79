import { execFile } from 'node:child_process';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** As many of this machine's own files, with links and folders, as make a layer of that size: about a Debian base layer. */
export async function realLayer(folder: string, bytesMax: number): Promise<Buffer> {
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'layer.tar');
  const chosen = `find etc usr/share usr/sbin usr/lib usr/bin -xdev -readable -size -16M \\( -type f -o -type l -o -type d \\) -printf '%s %p\\n' |
    awk '{ size += $1 + 512; if (size > ${bytesMax}) exit; sub(/^[0-9]+ /, ""); print }'`;
  await run('sh', ['-c', `cd / && ${chosen} | tar --create --no-recursion --file '${file}' --files-from -`]);
  return readFile(file);
}

/** In pieces as a blob store gives them. */
export async function* pieces(bytes: Uint8Array, pieceBytes = 256 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
