import { LazaretError } from '../../lib/errors.ts';

/** PostgreSQL's classes of codes: connection, no resources, operator's doing. */
const awayCodes = /^(08|53|57P)/;
/** What SQLite says when its file can't be read or written. */
const brokenFile = /^SQLITE_(IOERR|CANTOPEN|READONLY|BUSY|NOTADB)/;
const networkCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ETIMEDOUT', 'EPIPE', 'ENOTFOUND', 'EAI_AGAIN']);
/** The pool's own errors have no code. */
const lostConnection = /^(Connection terminated|timeout exceeded when trying to connect)/;

/** PostgreSQL's, of text with a NUL, which it neither keeps nor looks for. */
const notText = '22021';

/** What an engine throws when it can't be reached, has no room, or was given what is no text; undefined for anything else. */
export function databaseFailure(error: unknown): LazaretError | undefined {
  if (!(error instanceof Error) || error instanceof LazaretError) return undefined;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'SQLITE_FULL' || code === '53100')
    return new LazaretError('storeFull', 'the metadata store is full', { cause: error });
  if (code === notText) return new LazaretError('invalid', 'a text has a NUL', { cause: error });
  const away = awayCodes.test(code) || brokenFile.test(code) || networkCodes.has(code);
  if (!away && !lostConnection.test(error.message)) return undefined;
  return new LazaretError('unavailable', 'a store can’t be reached', { cause: error });
}
