import { SqliteDialect, SqliteQueryCompiler } from 'kysely';

/**
 * Kysely's dialect, whose statements keep their plan. Where the planner has looked at a parameter (it does for each join),
 * SQLite with `ENABLE_STAT4`, as better-sqlite3 compiles it, plans the statement anew whenever that parameter is bound,
 * which costs ten times what running it does. It does not look through `+?`, which is the same value. So what a partial
 * index is to be found by is written as a literal (`sql.lit`).
 *
 * sqlite.org/c3ref/prepare.html, point 3
 */
export class SteadyDialect extends SqliteDialect {
  override createQueryCompiler(): SqliteQueryCompiler {
    return new SteadyCompiler();
  }
}

class SteadyCompiler extends SqliteQueryCompiler {
  protected override getCurrentParameterPlaceholder(): string {
    return '+?';
  }
}
