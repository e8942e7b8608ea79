/**
 * A Berkeley DB hash file, `Packages`, as rpm wrote it up to version 4.15 (src/dbinc/db_page.h of Berkeley DB 5.3). It
 * consists of pages of one size; numbers are of the byte order of the machine that wrote it:
 *
 *     page 0:   … magic at 12 · page size at 20 · encryption at 24 · type at 25 · last page at 32
 *     any page: … next page at 16 · entries (u16) at 20 · end of data (u16) at 22 · type at 25 · then from 26 on
 *     hash:     offsets (u16) of the items, key and value in turn, which fill the page from its end
 *     overflow: bytes of one item, which goes on in the next page
 *
 * A value is a header, in its page or, nearly always, in a chain of overflow pages; the value of key 0 is none, but
 * the number of the next package.
 */
import type { FileContent } from '../../extractor.ts';
import { BrokenDatabase, HeaderBudget, readExactly, viewOf } from './header-reader.ts';

const hashMagic = 0x061561;
const pageTypes = { unsortedHash: 2, overflow: 7, meta: 8, hash: 13 } as const;
const itemTypes = { inPage: 1, offPage: 3 } as const;
const pageHeadBytes = 26;
const pageBytesMin = 512;
const pageBytesMax = 65_536;

/** @throws BrokenDatabase */
export function* berkeleyHeaders(content: FileContent): Generator<Uint8Array> {
  const file = new BerkeleyFile(content);
  for (let page = 1; page <= file.lastPage; page += 1) yield* file.headersOf(page);
}

class BerkeleyFile {
  readonly lastPage: number;
  readonly #content: FileContent;
  readonly #budget: HeaderBudget;
  readonly #littleEndian: boolean;
  readonly #pageBytes: number;

  constructor(content: FileContent) {
    this.#content = content;
    this.#budget = new HeaderBudget(content);
    const meta = viewOf(readExactly(content, 0, pageBytesMin));
    this.#littleEndian = meta.getUint32(12, true) === hashMagic;
    const le = this.#littleEndian;
    if (meta.getUint32(12, le) !== hashMagic || meta.getUint8(25) !== pageTypes.meta)
      throw new BrokenDatabase('it is no Berkeley DB hash file');
    if (meta.getUint8(24) !== 0) throw new BrokenDatabase('it is encrypted');
    this.#pageBytes = meta.getUint32(20, le);
    const isPageSize = (this.#pageBytes & (this.#pageBytes - 1)) === 0;
    if (!isPageSize || this.#pageBytes < pageBytesMin || this.#pageBytes > pageBytesMax)
      throw new BrokenDatabase(`pages of ${this.#pageBytes} bytes`);
    this.lastPage = meta.getUint32(32, le);
  }

  *headersOf(number: number): Generator<Uint8Array> {
    const page = this.#page(number);
    const type = page.getUint8(25);
    if (type !== pageTypes.hash && type !== pageTypes.unsortedHash) return;
    const bytes = new Uint8Array(page.buffer, page.byteOffset, page.byteLength).slice();
    const items = this.#itemsOf(viewOf(bytes), bytes);
    for (let at = 1; at < items.length; at += 2) {
      const [key, value] = [items[at - 1], items[at]];
      if (key !== undefined && value !== undefined && !isCounter(key)) yield this.#valueOf(value);
    }
  }

  #itemsOf(page: DataView, bytes: Uint8Array): Uint8Array[] {
    const count = page.getUint16(20, this.#littleEndian);
    if (pageHeadBytes + 2 * count > bytes.length) throw new BrokenDatabase('more items than a page can have');
    const items: Uint8Array[] = [];
    let end = bytes.length;
    for (let at = 0; at < count; at += 1) {
      const start = page.getUint16(pageHeadBytes + 2 * at, this.#littleEndian);
      if (start < pageHeadBytes || start >= end) throw new BrokenDatabase('items out of order');
      items.push(bytes.subarray(start, end));
      end = start;
    }
    return items;
  }

  #valueOf(item: Uint8Array): Uint8Array {
    if (item[0] === itemTypes.inPage) {
      this.#budget.take(item.length - 1);
      return item.subarray(1);
    }
    if (item[0] !== itemTypes.offPage || item.length !== 12)
      throw new BrokenDatabase('a value of another kind');
    const view = viewOf(item);
    return this.#chain(view.getUint32(4, this.#littleEndian), view.getUint32(8, this.#littleEndian));
  }

  /** Each page gives some of a length that is known, so a chain that comes back to itself has an end. */
  #chain(firstPage: number, length: number): Uint8Array {
    this.#budget.take(length);
    const value = new Uint8Array(length);
    let got = 0;
    let number = firstPage;
    while (number !== 0 && got < length) {
      const page = this.#page(number);
      const end = page.getUint16(22, this.#littleEndian);
      if (page.getUint8(25) !== pageTypes.overflow || end === 0 || pageHeadBytes + end > this.#pageBytes)
        throw new BrokenDatabase(`page ${number} is no overflow page`);
      const some = Math.min(end, length - got);
      value.set(new Uint8Array(page.buffer, page.byteOffset + pageHeadBytes, some), got);
      got += some;
      number = page.getUint32(16, this.#littleEndian);
    }
    if (got < length || number !== 0) throw new BrokenDatabase('a header that does not end where it should');
    return value;
  }

  #page(number: number): DataView {
    return viewOf(readExactly(this.#content, number * this.#pageBytes, this.#pageBytes));
  }
}

/** The first byte says the kind of the item, the other four are the package's number. */
function isCounter(key: Uint8Array): boolean {
  return key.length === 5 && key.subarray(1).every((byte) => byte === 0);
}
