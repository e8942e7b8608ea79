import { expect, test } from 'vitest';
import { projectFiles } from './project-files.ts';
import { sqlOutsideRecords } from './sql.ts';

test('only records speak SQL', () => {
  expect(sqlOutsideRecords(projectFiles())).toEqual([]);
});

test.each(["  .selectFrom('blobs')", "import { sql } from 'kysely';", "import pg from 'pg';"])(
  '%s is found outside of records, and allowed in them',
  (text) => {
    expect(sqlOutsideRecords([{ path: 'src/actions/a.ts', text }])).toEqual([
      'src/actions/a.ts:1: SQL belongs to src/records',
    ]);
    expect(sqlOutsideRecords([{ path: 'src/records/a.ts', text }])).toEqual([]);
    expect(sqlOutsideRecords([{ path: 'src/actions/a.test.ts', text }])).toEqual([]);
  },
);
