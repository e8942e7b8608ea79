import { once } from 'node:events';
import { type Header, pack } from 'tar-stream';

/** An entry of a layer made in code: `text` or `bytes` make it a file, else `type` says what it is. */
export interface LayerEntry extends Partial<Header> {
  readonly name: string;
  readonly text?: string;
  readonly bytes?: Uint8Array;
}

/** An uncompressed layer. */
export async function tarOf(entries: readonly LayerEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const { text, bytes, ...header } of entries) {
    const content = bytes === undefined ? text : Buffer.from(bytes);
    if (content === undefined) archive.entry(header);
    else archive.entry(header, content);
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  archive.on('data', (chunk) => {
    if (chunk instanceof Uint8Array) chunks.push(chunk);
  });
  await once(archive, 'end');
  return Buffer.concat(chunks);
}

/** The bytes as a source, in chunks of `chunkBytes`. */
export async function* inChunks(bytes: Uint8Array, chunkBytes = 64 * 1024): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
}
