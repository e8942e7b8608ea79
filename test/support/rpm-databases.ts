/** rpm's databases, made in code: headers as rpm stores them, in each of the three files that hold them. */
import Sqlite from 'better-sqlite3';

export interface TestRpm {
  readonly name: string;
  readonly version?: string;
  readonly release?: string;
  readonly epoch?: number;
  readonly architecture?: string;
  readonly source?: string;
  readonly license?: string;
  /** More bytes of a tag that nobody reads: a header that needs many pages. */
  readonly ballast?: number;
}

const types = { binary: 7, int32: 4, string: 6, i18nString: 9 } as const;

/** The header as a database holds it: without the eight bytes that lead it in a package file. */
export function rpmHeader(rpm: TestRpm): Buffer {
  const { name, version = '1.0', release = '1', epoch, architecture = 'noarch', license = 'MIT' } = rpm;
  const { source = `${name}-${version}-${release}.src.rpm`, ballast = 0 } = rpm;
  const number = Buffer.alloc(4);
  number.writeUInt32BE(epoch ?? 0);
  const values: (readonly [tag: number, type: number, bytes: Buffer])[] = [
    ...(epoch === undefined ? [] : [[1003, types.int32, number] as const]),
    [1000, types.string, text(name)],
    [1001, types.string, text(version)],
    [1002, types.string, text(release)],
    [1004, types.i18nString, text('a summary')],
    [1014, types.string, text(license)],
    [1022, types.string, text(architecture)],
    ...(source === '' ? [] : [[1044, types.string, text(source)] as const]),
    ...(ballast === 0 ? [] : [[1146, types.binary, Buffer.alloc(ballast, name)] as const]),
  ];
  const entries = Buffer.alloc(8 + 16 * values.length);
  entries.writeUInt32BE(values.length);
  let offset = 0;
  for (const [index, [tag, type, bytes]] of values.entries()) {
    const count = type === types.binary ? bytes.length : 1;
    for (const [at, value] of [tag, type, offset, count].entries())
      entries.writeUInt32BE(value, 8 + 16 * index + 4 * at);
    offset += bytes.length;
  }
  entries.writeUInt32BE(offset, 4);
  return Buffer.concat([entries, ...values.map(([, , bytes]) => bytes)]);
}

function text(value: string): Buffer {
  return Buffer.from(`${value}\0`);
}

/** `rpmdb.sqlite`, marked as one that was written with a write-ahead log, as rpm's are. */
export function sqliteDatabase(headers: readonly Uint8Array[], { pageBytes = 4_096 } = {}): Buffer {
  const database = new Sqlite(':memory:');
  try {
    database.pragma(`page_size = ${pageBytes}`);
    database.exec(`CREATE TABLE 'Name' (key TEXT NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL);
      CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)`);
    const insert = database.prepare("INSERT INTO 'Packages' (blob) VALUES (?)");
    for (const header of headers) insert.run(header);
    const bytes = database.serialize();
    bytes.fill(2, 18, 20);
    return bytes;
  } finally {
    database.close();
  }
}

/** `Packages.db`. */
export function ndbDatabase(headers: readonly Uint8Array[]): Buffer {
  const page = 4_096;
  const slots = Buffer.alloc(page);
  slots.write('RpmP');
  slots.writeUInt32LE(1, 12);
  slots.writeUInt32LE(headers.length + 1, 16);
  for (let at = 32; at < page; at += 16) slots.write('Slot', at);
  const blobs: Buffer[] = [];
  let block = page / 16;
  for (const [index, header] of headers.entries()) {
    const blocks = Math.ceil((16 + header.length + 12) / 16);
    const blob = Buffer.alloc(blocks * 16);
    blob.write('BlbS');
    blob.writeUInt32LE(index + 1, 4);
    blob.writeUInt32LE(header.length, 12);
    blob.set(header, 16);
    blob.writeUInt32LE(header.length, blob.length - 8);
    blob.write('BlbE', blob.length - 4);
    for (const [at, value] of [index + 1, block, blocks].entries())
      slots.writeUInt32LE(value, 32 + 16 * index + 4 + 4 * at);
    blobs.push(blob);
    block += blocks;
  }
  return Buffer.concat([slots, ...blobs]);
}

/** `Packages`: a hash file of one bucket, with each header in overflow pages, or in the page if `inPage`. */
export function berkeleyDatabase(
  headers: readonly Uint8Array[],
  { bigEndian = false, inPage = false }: { bigEndian?: boolean; inPage?: boolean } = {},
): Buffer {
  const pageBytes = 4_096;
  const u16 = (page: Buffer, value: number, at: number) =>
    bigEndian ? page.writeUInt16BE(value, at) : page.writeUInt16LE(value, at);
  const u32 = (page: Buffer, value: number, at: number) =>
    bigEndian ? page.writeUInt32BE(value, at) : page.writeUInt32LE(value, at);
  const number = (value: number) => {
    const bytes = Buffer.alloc(4);
    u32(bytes, value, 0);
    return bytes;
  };
  const pages = [Buffer.alloc(pageBytes), Buffer.alloc(pageBytes)];
  const pageOf = (index: number, type: number) => {
    const page = pages[index] ?? Buffer.alloc(pageBytes);
    pages[index] = page;
    u32(page, index, 8);
    page[25] = type;
    return page;
  };
  const overflow = (bytes: Uint8Array) => {
    const first = pages.length;
    const room = pageBytes - 26;
    for (let at = 0; at < bytes.length; at += room) {
      const page = pageOf(pages.length, 7);
      const part = bytes.subarray(at, at + room);
      u32(page, at === 0 ? 0 : pages.length - 2, 12);
      u32(page, at + room < bytes.length ? pages.length : 0, 16);
      u16(page, 1, 20);
      u16(page, part.length, 22);
      page.set(part, 26);
    }
    return Buffer.concat([Buffer.from([3, 0, 0, 0]), number(first), number(bytes.length)]);
  };
  const items = [
    [Buffer.alloc(4), Buffer.concat([Buffer.from([1]), number(headers.length)])] as const,
    ...headers.map((header, index) => {
      const value = inPage ? Buffer.concat([Buffer.from([1]), header]) : overflow(header);
      return [number(index + 1), value] as const;
    }),
  ].flatMap(([key, value]) => [Buffer.concat([Buffer.from([1]), key]), value]);
  const hash = pageOf(1, 13);
  let end = pageBytes;
  for (const [at, item] of items.entries()) {
    end -= item.length;
    hash.set(item, end);
    u16(hash, end, 26 + 2 * at);
  }
  u16(hash, items.length, 20);
  u16(hash, end, 22);
  const meta = pageOf(0, 8);
  for (const [at, value] of [
    [12, 0x061561],
    [16, 9],
    [20, pageBytes],
    [32, pages.length - 1],
    // One bucket, whose page is the first one; the number of its items.
    [72, 0],
    [76, 1],
    [80, 0],
    [84, 1],
    [88, headers.length + 1],
    [96, 1],
  ] as const)
    u32(meta, value, at);
  return Buffer.concat(pages);
}
