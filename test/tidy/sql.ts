/** Only records speak SQL: elsewhere no query is built and no driver of a database is imported. */
import { isTest, type ProjectFile } from './project-files.ts';

const queries = /\.(?:selectFrom|selectNoFrom|insertInto|updateTable|deleteFrom|replaceInto)\(/;
const drivers = /from '(?:kysely(?:\/[^']*)?|better-sqlite3|pg)'/;

/** The data folder's lock is an SQLite transaction, so that the kernel ends it with the process. */
const exceptions: readonly string[] = ['src/server/data-folder.ts'];

export function sqlOutsideRecords(files: readonly ProjectFile[]): string[] {
  return files
    .filter(({ path }) => path.startsWith('src/') && !path.startsWith('src/records/') && !isTest(path))
    .filter(({ path }) => !exceptions.includes(path))
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .flatMap((line, at) =>
          queries.test(line) || drivers.test(line) ? [`${path}:${at + 1}: SQL belongs to src/records`] : [],
        ),
    );
}
