import pg from 'pg';
import { expect, test } from 'vitest';
import { LazaretError } from '../../lib/errors.ts';
import { databaseFailure } from './failure.ts';

const coded = (code: string, message = 'failed') => Object.assign(new Error(message), { code });

test.each([
  [coded('SQLITE_FULL'), 'storeFull'],
  [coded('53100', 'could not extend file'), 'storeFull'],
  [coded('22021', 'invalid byte sequence for encoding "UTF8": 0x00'), 'invalid'],
  [coded('SQLITE_IOERR_WRITE'), 'unavailable'],
  [coded('57P01', 'terminating connection due to administrator command'), 'unavailable'],
  [coded('08006'), 'unavailable'],
  [coded('53300', 'too many clients'), 'unavailable'],
  [coded('ECONNREFUSED'), 'unavailable'],
  [new Error('Connection terminated unexpectedly'), 'unavailable'],
])('%s is %s', (error, code) => {
  expect(databaseFailure(error)).toMatchObject({ code, cause: error });
});

test.each([
  coded('SQLITE_CONSTRAINT_UNIQUE'),
  coded('23505'),
  coded('42601', 'syntax error'),
  new TypeError('x is not a function'),
  new LazaretError('conflict', 'it exists'),
  'text',
])('%s is none', (error) => {
  expect(databaseFailure(error)).toBeUndefined();
});

test('a server of PostgreSQL that is not there is unavailable', async () => {
  const pool = new pg.Pool({ connectionString: 'postgres://127.0.0.1:1/none' });
  const error = await pool.query('select 1').catch((thrown: unknown) => thrown);
  expect(databaseFailure(error)).toMatchObject({ code: 'unavailable' });
  await pool.end();
});
