import type { ByteSource } from '../../lib/streams.ts';
import {
  type OsvDocumentKind,
  type OsvReading,
  readOsvDocuments,
} from '../../versions/osv/read-documents.ts';

/** Of one file. The places of its documents begin with its name. */
export async function* documentReadings(
  source: ByteSource,
  { name, kind }: { readonly name: string; readonly kind: OsvDocumentKind },
): AsyncGenerator<OsvReading> {
  for await (const reading of readOsvDocuments(source, kind))
    yield { ...reading, where: placeIn(name, reading.where) };
}

export function placeIn(name: string, where: string): string {
  if (name === '') return where;
  return where === 'document' ? name : `${name}, ${where}`;
}

/**
 * An object that goes on after its first line was written for people, so it is one document; anything else is lines, of
 * which a broken first one is one broken document and not a broken file.
 */
export function documentKind(head: string): OsvDocumentKind {
  const text = head.trimStart();
  if (!text.startsWith('{')) return text.startsWith('[') || text === '' ? 'json' : 'jsonl';
  const end = text.indexOf('\n');
  const firstLine = (end === -1 ? '' : text.slice(0, end)).trimEnd();
  return /[{[,:]$/.test(firstLine) ? 'json' : 'jsonl';
}
