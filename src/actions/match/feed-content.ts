/**
 * What somebody gives to import, told by its content and never by its name: OSV documents in a zip, a tar, lines, an array
 * or by themselves, each also compressed; CISA's catalogue of what is exploited; EPSS; a bundle that `advisory export`
 * wrote. It is read as it comes: what is held is a document, or a file of an archive; a zip, whose directory is at its
 * end, lies in a temporary file meanwhile.
 */
import { ContentProblem } from '../../lib/content-problem.ts';
import { decompressed, isDamaged, peeked } from '../../lib/decompressed.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { type ByteSource, limitBytes } from '../../lib/streams.ts';
import type { OsvReading } from '../../versions/osv/read-documents.ts';
import { tarReadings, zipReadings } from './archived-documents.ts';
import { documentKind, documentReadings, placeIn } from './document-readings.ts';

export type FeedContent =
  | { readonly kind: 'osv'; readonly readings: AsyncIterable<OsvReading> }
  | { readonly kind: 'kev' | 'epss' | 'bundle'; readonly text: ByteSource };

/** How a bundle's first line begins. */
export const bundleStart = '{"bundle":"io.lazaret.advisories.v1"';

const headBytes = 4_096;
const zipMagics = [0x504b0304, 0x504b0506];

/** @param name of the file, with which the places of documents begin; '' without one */
export async function openFeed(source: ByteSource, name: string): Promise<FeedContent> {
  const bounded = limitBytes(source, limits.advisoryImportBytesMax, overLimit);
  const { head, whole } = await peeked(bounded, 4);
  if (head.length === 4 && zipMagics.includes(head.readUInt32BE(0)))
    return { kind: 'osv', readings: zipReadings(whole, name) };
  try {
    const plain = limitBytes(decompressed(whole), limits.advisoryImportBytesMax, overLimit);
    return contentOf(await peeked(plain, headBytes), name);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    return { kind: 'osv', readings: damaged(name, error) };
  }
}

function contentOf(
  { head, whole }: { readonly head: Buffer; readonly whole: ByteSource },
  name: string,
): FeedContent {
  if (head.toString('latin1', 257, 262) === 'ustar')
    return { kind: 'osv', readings: tarReadings(whole, name) };
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text.startsWith(bundleStart)) return { kind: 'bundle', text: whole };
  if (/^(?:#model_version:|cve,epss,)/.test(text)) return { kind: 'epss', text: whole };
  if (/^\{[^[]*"catalogVersion"\s*:/.test(text)) return { kind: 'kev', text: whole };
  return { kind: 'osv', readings: documentReadings(whole, { name, kind: documentKind(text) }) };
}

async function* damaged(name: string, cause: unknown): AsyncGenerator<OsvReading> {
  const why = cause instanceof ContentProblem ? `: ${cause.message}` : '';
  const error = new LazaretError('invalid', `the compressed bytes are damaged or cut off${why}`, { cause });
  yield { ok: false, where: placeIn(name, 'the stream'), error };
}

function overLimit(): LazaretError {
  return new LazaretError(
    'tooLarge',
    `more than ${limits.advisoryImportBytesMax} bytes of advisories in one import`,
    { detail: { limit: 'advisoryImportBytesMax' } },
  );
}
