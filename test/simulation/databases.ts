/**
 * The databases that simulated processes use. Opening one, and preparing its statements, costs more than the work of a
 * seed; so a process that starts takes connections that nobody has, one that dies gives them back, and before each seed
 * the rows are put back to what a server that has just started leaves. That loses nothing: a death comes between
 * transactions (they pass as a whole), and a connection without one keeps nothing but prepared statements.
 */
import { join } from 'node:path';
import BetterSqlite3 from 'better-sqlite3';
import type { Clock } from '../../src/lib/clock.ts';
import { accountEnsure } from '../../src/records/access/accounts.ts';
import type { Database } from '../../src/records/db/database.ts';
import { openDatabase } from '../../src/records/db/drivers.ts';
import { regionsEnsure } from '../../src/records/regions/regions.ts';

export type RegionName = 'home' | 'away';
export const startMs = Date.UTC(2026, 0, 1);

interface Time {
  nowMs: () => number;
}

/** Two servers, and what a peer asks through. All are opened before the first seed, since opening one draws a key. */
const atOnce = 3;

export class Databases {
  readonly #regions: Readonly<Record<RegionName, RegionDatabases>>;
  readonly #time: Time;

  private constructor(regions: Readonly<Record<RegionName, RegionDatabases>>, time: Time) {
    this.#regions = regions;
    this.#time = time;
  }

  /** @param folder for the files, best on a RAM disk */
  static async open(folder: string): Promise<Databases> {
    const time: Time = { nowMs: () => startMs };
    const home = await RegionDatabases.open(folder, 'home', time);
    return new Databases({ home, away: await RegionDatabases.open(folder, 'away', time) }, time);
  }

  /** For the seed that runs from here on. */
  goBy(nowMs: () => number): void {
    this.#time.nowMs = nowMs;
  }

  of(region: RegionName): RegionDatabases {
    return this.#regions[region];
  }

  async close(): Promise<void> {
    for (const region of Object.values(this.#regions)) await region.close();
  }
}

/** One file: those who write it, and a reader that passes all gates. */
export class RegionDatabases {
  readonly #free: Database[];
  readonly #all: readonly Database[];
  readonly #reader: BetterSqlite3.Database;
  readonly #queries = new Map<string, BetterSqlite3.Statement>();
  readonly #putBack: readonly BetterSqlite3.Statement[];
  readonly #restorer: BetterSqlite3.Database;

  private constructor(file: string, template: string, all: readonly Database[]) {
    this.#all = all;
    this.#free = [...all];
    this.#reader = new BetterSqlite3(file, { readonly: true });
    this.#restorer = new BetterSqlite3(file);
    this.#restorer.pragma('foreign_keys = OFF');
    this.#restorer.prepare('attach ? as template').run(template);
    // The numbers that were given out last, which filling a table changes too, come at the end.
    const tables = this.#restorer
      .prepare(
        "select name from template.sqlite_master where type = 'table' order by name = 'sqlite_sequence'",
      )
      .pluck()
      .all();
    this.#putBack = tables.flatMap((table) => [
      this.#restorer.prepare(`delete from main."${table}"`),
      this.#restorer.prepare(`insert into main."${table}" select * from template."${table}"`),
    ]);
  }

  static async open(folder: string, region: RegionName, time: Time): Promise<RegionDatabases> {
    const nowMs = () => time.nowMs();
    const clock: Clock = { wallMs: nowMs, bootMs: nowMs, sleep: async () => {} };
    const [file, template] = [`${region}.sqlite`, `${region}-template.sqlite`].map((name) =>
      join(folder, name),
    );
    if (file === undefined || template === undefined) throw new Error('both have names');
    for (const each of [file, template]) await asJustStarted(each, region, clock);
    const all = await Promise.all(
      Array.from({ length: atOnce }, () => openDatabase({ kind: 'sqlite', file }, { region, clock })),
    );
    return new RegionDatabases(file, template, all);
  }

  /** For a process that starts. */
  take(): Database {
    const free = this.#free.pop();
    if (!free) throw new Error(`no more than ${atOnce} processes of a region run at once`);
    return free;
  }

  /** Of a process that has ended. */
  giveBack(database: Database): void {
    this.#free.push(database);
  }

  rows<R>(query: string, ...values: readonly (string | number)[]): R[] {
    const known = this.#queries.get(query) ?? this.#reader.prepare(query);
    this.#queries.set(query, known);
    // The shape of a row is what its query selects.
    return known.all(...values) as R[];
  }

  /** Forgets what the last seed did. */
  putBack(): void {
    this.#restorer.exec('begin');
    for (const statement of this.#putBack) statement.run();
    this.#restorer.exec('commit');
  }

  async close(): Promise<void> {
    this.#reader.close();
    this.#restorer.close();
    for (const database of this.#all) await database.close();
  }
}

async function asJustStarted(file: string, region: RegionName, clock: Clock): Promise<void> {
  const seed = (name: string) => ({ name, url: `http://${name}.example` });
  const peer = region === 'home' ? 'away' : 'home';
  const database = await openDatabase({ kind: 'sqlite', file }, { region, clock });
  await database.transact(async (tx) => {
    await regionsEnsure(tx, { self: seed(region), primary: 'home', peers: [seed(peer)] });
    if (region === 'home')
      for (const account of ['acme', 'globex']) await accountEnsure(tx, account, 'simulation');
  });
  await database.close();
}
