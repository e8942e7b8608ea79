import { pipeline, Readable } from 'node:stream';
import { createZstdCompress } from 'node:zlib';
import type { Clock } from '../../lib/clock.ts';
import {
  type ExportedAdvisory,
  exportedAdvisories,
  exportedExploited,
  exportedScores,
  loadedFeeds,
} from '../../records/advisories/export-rows.ts';
import type { Database } from '../../records/db/database.ts';
import type { Reader } from '../../records/db/engine.ts';
import { bundleStart } from './feed-content.ts';

export interface ExportDeps {
  readonly database: Database;
  readonly clock: Clock;
}

/** All that was imported, as one file for a site without a way out: see import-bundle.ts. Lines, compressed with zstd. */
export function exportBundle(deps: ExportDeps): AsyncIterable<Uint8Array> {
  return pipeline(Readable.from(chunksOf(bundleLines(deps))), createZstdCompress(), () => undefined);
}

async function* bundleLines({ database, clock }: ExportDeps): AsyncGenerator<string> {
  const feeds = await loadedFeeds(database.read);
  let lines = 2;
  yield `${bundleStart},"exportedAt":${clock.wallMs()}}`;
  for (const { source, kind, importedAt } of feeds) {
    yield JSON.stringify({ source, kind, importedAt });
    lines += 1;
    for await (const line of linesOf(database.read, source, kind)) {
      yield line;
      lines += 1;
    }
  }
  yield JSON.stringify({ end: true, lines });
}

async function* linesOf(db: Reader, source: string, kind: 'osv' | 'kev' | 'epss'): AsyncGenerator<string> {
  if (kind === 'kev') for (const entry of await exportedExploited(db)) yield JSON.stringify(entry);
  else if (kind === 'epss')
    for await (const page of exportedScores(db))
      for (const { cve, score, percentile } of page) yield JSON.stringify([cve, score, percentile]);
  else
    for await (const page of exportedAdvisories(db, source))
      for (const one of page) yield* advisoryLines(one);
}

/** An id has no blank; a document that never had one is told by its place alone. */
function* advisoryLines({ advisoryId, body, withdrawn, broken }: ExportedAdvisory): Generator<string> {
  // What stands between documents is told by how its line begins: no document may begin so.
  if (body !== '') yield ` ${body.includes('\n') ? JSON.stringify(JSON.parse(body)) : body}`;
  if (broken && !withdrawn)
    yield JSON.stringify({ broken: { id: advisoryId.includes(' ') ? null : advisoryId, ...broken } });
}

/** Few large pieces: each costs a step of the compressor. */
async function* chunksOf(lines: AsyncIterable<string>): AsyncGenerator<Buffer> {
  let gathered = '';
  for await (const line of lines) {
    gathered += `${line}\n`;
    if (gathered.length < 256 * 1024) continue;
    yield Buffer.from(gathered);
    gathered = '';
  }
  yield Buffer.from(gathered);
}
