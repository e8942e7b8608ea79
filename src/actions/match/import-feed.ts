import type { Clock } from '../../lib/clock.ts';
import { assertNever } from '../../lib/errors.ts';
import type { ByteSource } from '../../lib/streams.ts';
import type { Database } from '../../records/db/database.ts';
import { openFeed } from './feed-content.ts';
import { type ImportedDocuments, type ImportOf, importDocuments } from './import-advisories.ts';
import { importBundle } from './import-bundle.ts';
import { importExploited, importExploitScores } from './import-exploits.ts';

export interface ImportDeps {
  readonly database: Database;
  readonly clock: Clock;
}

export interface ImportRequest extends Omit<ImportOf, 'file' | 'source'> {
  /** Default: a name of the kind that the content is of. */
  readonly source?: string | undefined;
  /** See `openFeed`. */
  readonly documents: ByteSource;
  readonly file?: string | undefined;
}

export interface ImportAnswer extends ImportedDocuments {
  readonly source: string;
  readonly kind: 'osv' | 'kev' | 'epss' | 'bundle';
  readonly tookMs: number;
}

/** @throws invalid, tooLarge (what was read before has been imported), whatever the stream throws */
export async function importFeed(deps: ImportDeps, request: ImportRequest): Promise<ImportAnswer> {
  const { database, clock } = deps;
  const { documents, file = '', source, ...of } = request;
  const startedMs = clock.wallMs();
  const content = await openFeed(documents, file);
  const whose = source ?? sourceNames[content.kind];
  const imported = await importContent(database, content, { ...of, source: whose, file });
  const tookMs = Math.round(clock.wallMs() - startedMs);
  return { source: whose, kind: content.kind, ...imported, tookMs };
}

/** Names of sources that were given none. A bundle has those of its parts. */
const sourceNames = { osv: 'import', bundle: 'import', kev: 'cisa-kev', epss: 'epss' } as const;

type Content = Awaited<ReturnType<typeof openFeed>>;

function importContent(database: Database, content: Content, of: ImportOf): Promise<ImportedDocuments> {
  switch (content.kind) {
    case 'osv':
      return importDocuments(database, content.readings, of);
    case 'kev':
      return importExploited(database, content.text, of);
    case 'epss':
      return importExploitScores(database, content.text, of);
    case 'bundle':
      return importBundle(database, content.text, of);
    default:
      return assertNever(content);
  }
}
