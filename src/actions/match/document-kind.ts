import { constants, gunzipSync } from 'node:zlib';
import type { OsvDocumentKind } from '../../versions/osv/read-documents.ts';

export interface SniffedDocuments {
  readonly kind: OsvDocumentKind;
  /** From the beginning, as it came. */
  readonly documents: AsyncIterable<Uint8Array>;
}

/** Of what may be compressed: at most 4 MiB come out of it. */
const headBytes = 4_096;

/**
 * Tells one document or an array from JSON lines by how the stream, unpacked, begins. An object that goes on after its
 * first line was written for people, so it is one document; anything else is lines, of which a broken first one is one
 * broken document and not a broken file. Which file name it had says nothing.
 */
export async function sniffDocuments(source: AsyncIterable<Uint8Array>): Promise<SniffedDocuments> {
  const iterator = source[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  while (head.length < headBytes) {
    const step = await iterator.next();
    if (step.done) break;
    head = Buffer.concat([head, step.value]);
  }
  return {
    kind: kindOf(unpackedHead(head.subarray(0, headBytes)).toString('utf8')),
    documents: joined(head, iterator),
  };
}

async function* joined(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield head;
  yield* { [Symbol.asyncIterator]: () => rest };
}

function unpackedHead(head: Buffer): Buffer {
  if (head[0] !== 0x1f || head[1] !== 0x8b) return head;
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0); // the reader of the documents says what is wrong with it
  }
}

function kindOf(head: string): OsvDocumentKind {
  const text = head.replace(/^\uFEFF/, '').trimStart();
  if (!text.startsWith('{')) return text.startsWith('[') || text === '' ? 'json' : 'jsonl';
  const end = text.indexOf('\n');
  const firstLine = (end === -1 ? '' : text.slice(0, end)).trimEnd();
  return /[{[,:]$/.test(firstLine) ? 'json' : 'jsonl';
}
