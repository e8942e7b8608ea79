/**
 * `rpmdb.sqlite`, rpm's database since 4.16: the blobs of its table `Packages`, read off the pages themselves
 * (https://www.sqlite.org/fileformat2.html; docs/decisions/0012 says why not by SQLite). Nothing of the file is
 * executed, one row is in memory at a time, and no page of a tree is looked at twice. All numbers are big-endian.
 */
import type { FileContent } from '../../extractor.ts';
import { BrokenDatabase, HeaderBudget, readExactly, viewOf } from './header-reader.ts';

const magic = 'SQLite format 3\0';
const fileHeadBytes = 100;
const pageTypes = { interior: 0x05, leaf: 0x0d } as const;
/** SQLite's own limit of a tree's height. */
const heightMax = 20;
const schema = { type: 0, name: 1, rootPage: 3 } as const;
const blobColumn = 1;

/** @throws BrokenDatabase */
export function* sqliteHeaders(content: FileContent): Generator<Uint8Array> {
  const file = new SqliteFile(content);
  const root = rootOf(file, 'Packages');
  if (root === undefined) throw new BrokenDatabase('it has no table Packages');
  for (const row of file.rows(root)) {
    const blob = columnsOf(row)[blobColumn];
    if (blob === undefined || blob.kind === 'number') throw new BrokenDatabase('a package without a header');
    yield blob.bytes;
  }
}

function rootOf(file: SqliteFile, table: string): number | undefined {
  for (const row of file.rows(1)) {
    const columns = columnsOf(row);
    const [type, name, root] = [columns[schema.type], columns[schema.name], columns[schema.rootPage]];
    if (isText(type, 'table') && isText(name, table) && root?.kind === 'number') return root.value;
  }
  return undefined;
}

class SqliteFile {
  readonly #content: FileContent;
  readonly #budget: HeaderBudget;
  readonly #pageBytes: number;
  /** Of a page, what is not kept back for extensions. */
  readonly #usableBytes: number;

  constructor(content: FileContent) {
    this.#content = content;
    this.#budget = new HeaderBudget(content);
    const head = readExactly(content, 0, fileHeadBytes);
    if (Buffer.from(head).toString('latin1', 0, magic.length) !== magic)
      throw new BrokenDatabase('it is no SQLite database');
    const view = viewOf(head);
    const stated = view.getUint16(16);
    this.#pageBytes = stated === 1 ? 65_536 : stated;
    if (this.#pageBytes < 512 || (this.#pageBytes & (this.#pageBytes - 1)) !== 0)
      throw new BrokenDatabase(`pages of ${this.#pageBytes} bytes`);
    this.#usableBytes = this.#pageBytes - view.getUint8(20);
    if (this.#usableBytes < 480) throw new BrokenDatabase(`pages of ${this.#usableBytes} usable bytes`);
  }

  /** The records of a table, in the order of their row ids. */
  *rows(root: number): Generator<Uint8Array> {
    const seen = new Set<number>();
    const stack = [{ number: root, height: 1 }];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { number, height } = next;
      if (seen.has(number) || height > heightMax) throw new BrokenDatabase('its pages go round in circles');
      seen.add(number);
      const page = this.#page(number);
      if (page.type === pageTypes.leaf) yield* this.#leafRows(page);
      else if (page.type === pageTypes.interior)
        stack.push(...childrenOf(page).map((child) => ({ number: child, height: height + 1 })));
      else throw new BrokenDatabase(`page ${number} is not of a table`);
    }
  }

  *#leafRows(page: Page): Generator<Uint8Array> {
    for (const cell of cellsOf(page)) {
      const length = varintAt(page.bytes, cell);
      const rowId = varintAt(page.bytes, length.end);
      yield this.#payload(page, rowId.end, length.value);
    }
  }

  /** What a cell has no room for is in a chain of pages of its own. */
  #payload(page: Page, start: number, length: number): Uint8Array {
    const local = this.#localBytes(length);
    if (start + local > page.bytes.length) throw new BrokenDatabase('a row that leaves its page');
    this.#budget.take(length);
    const payload = new Uint8Array(length);
    payload.set(page.bytes.subarray(start, start + local));
    let next = local < length ? viewOf(page.bytes).getUint32(start + local) : 0;
    for (let got = local; got < length; ) {
      if (next === 0) throw new BrokenDatabase('a row whose end is missing');
      const overflow = this.#read(next);
      const some = overflow.subarray(4, 4 + Math.min(this.#usableBytes - 4, length - got));
      payload.set(some, got);
      got += some.length;
      next = viewOf(overflow).getUint32(0);
    }
    return payload;
  }

  /** How much of a record is in its page. */
  #localBytes(length: number): number {
    const most = this.#usableBytes - 35;
    if (length <= most) return length;
    const least = Math.floor(((this.#usableBytes - 12) * 32) / 255) - 23;
    const filling = least + ((length - least) % (this.#usableBytes - 4));
    return filling <= most ? filling : least;
  }

  #page(number: number): Page {
    const bytes = this.#read(number).slice();
    // The first page begins with the file's head.
    const head = number === 1 ? fileHeadBytes : 0;
    const view = viewOf(bytes);
    return { bytes, view, head, type: view.getUint8(head), cells: view.getUint16(head + 3) };
  }

  #read(number: number): Uint8Array {
    if (number === 0) throw new BrokenDatabase('a page without a number');
    return readExactly(this.#content, (number - 1) * this.#pageBytes, this.#pageBytes);
  }
}

interface Page {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly head: number;
  readonly type: number;
  readonly cells: number;
}

function cellsOf({ bytes, view, head, type, cells }: Page): number[] {
  const first = head + (type === pageTypes.interior ? 12 : 8);
  if (first + 2 * cells > bytes.length) throw new BrokenDatabase('more cells than a page can have');
  return Array.from({ length: cells }, (_, at) => view.getUint16(first + 2 * at));
}

/** From the last to the first, as a stack wants them. */
function childrenOf(page: Page): number[] {
  const children = cellsOf(page).map((cell) => {
    if (cell + 4 > page.bytes.length) throw new BrokenDatabase('a cell that leaves its page');
    return page.view.getUint32(cell);
  });
  return [...children, page.view.getUint32(page.head + 8)].reverse();
}

type Column =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array };

/** The first columns of a record, as many as are asked for here. */
function columnsOf(record: Uint8Array): Column[] {
  const head = varintAt(record, 0);
  if (head.value > record.length) throw new BrokenDatabase('a row without an end');
  const columns: Column[] = [];
  let body = head.value;
  for (let at = head.end; at < head.value && columns.length <= schema.rootPage; ) {
    const type = varintAt(record, at);
    at = type.end;
    const length = columnBytes(type.value);
    if (body + length > record.length) throw new BrokenDatabase('a column that leaves its row');
    const bytes = record.subarray(body, body + length);
    columns.push(
      type.value >= 12 ? { kind: 'bytes', bytes } : { kind: 'number', value: numberOf(type.value, bytes) },
    );
    body += length;
  }
  return columns;
}

const numberBytes: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0];

function columnBytes(type: number): number {
  return numberBytes[type] ?? Math.floor((type - 12) / 2);
}

/** Of no interest are fractions, negative numbers and what is above 2^48: no page has such a number. */
function numberOf(type: number, bytes: Uint8Array): number {
  if (type === 9) return 1;
  return bytes.length === 0 || bytes.length > 6 ? 0 : Buffer.from(bytes).readUIntBE(0, bytes.length);
}

function isText(column: Column | undefined, text: string): boolean {
  return column?.kind === 'bytes' && Buffer.from(column.bytes).equals(Buffer.from(text));
}

/** A number in one to nine bytes; above 2^53, where no length is, it is not exact. */
function varintAt(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  for (let at = start; at < start + 9; at += 1) {
    const byte = bytes[at];
    if (byte === undefined) throw new BrokenDatabase('a number without an end');
    if (at === start + 8) return { value: value * 256 + byte, end: at + 1 };
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return { value, end: at + 1 };
  }
  throw new BrokenDatabase('a number without an end');
}
