import { crc32, deflateRawSync } from 'node:zlib';

/** A file of an archive made in code; what is not said is as an archiver would write it. */
export interface ZipFile {
  readonly name: string;
  readonly text?: string;
  readonly bytes?: Uint8Array;
  readonly stored?: boolean;
  readonly encrypted?: boolean;
  readonly method?: number;
  /** The size that the directory claims. */
  readonly claimedBytes?: number;
  /** The name in the local header. */
  readonly localName?: string;
  /** The local header is that of this file, which came before. */
  readonly sharedWith?: string;
}

export interface ZipOptions {
  /** Put before the archive, whose offsets do not know of it. */
  readonly prefix?: Uint8Array;
  readonly comment?: string;
  readonly zip64?: boolean;
}

/** @see APPNOTE 6.3.10 */
export function zipOf(
  files: readonly ZipFile[],
  { prefix, comment = '', zip64 = false }: ZipOptions = {},
): Buffer {
  const bodies: Buffer[] = [];
  const central: Buffer[] = [];
  const offsets = new Map<string, number>();
  let offset = 0;
  for (const file of files) {
    const packed = pack(file);
    const shared = file.sharedWith === undefined ? undefined : offsets.get(file.sharedWith);
    central.push(centralHeader(file, packed, { offset: shared ?? offset, zip64 }));
    if (shared !== undefined) continue;
    offsets.set(file.name, offset);
    const body = Buffer.concat([localHeader(file, packed), packed.data]);
    bodies.push(body);
    offset += body.length;
  }
  const directory = Buffer.concat(central);
  const end = endRecords({ count: files.length, directoryBytes: directory.length, offset, comment, zip64 });
  return Buffer.concat([prefix ?? Buffer.alloc(0), ...bodies, directory, end]);
}

interface Packed {
  readonly data: Buffer;
  readonly method: number;
  readonly sizeBytes: number;
  readonly crc: number;
}

function pack({ text = '', bytes, stored = false, method }: ZipFile): Packed {
  const content = bytes === undefined ? Buffer.from(text) : Buffer.from(bytes);
  const data = stored ? content : deflateRawSync(content);
  return { data, method: method ?? (stored ? 0 : 8), sizeBytes: content.length, crc: crc32(content) };
}

function localHeader({ name, localName = name, encrypted = false }: ZipFile, packed: Packed): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(20, 4);
  header.writeUInt16LE(encrypted ? 1 : 0, 6);
  header.writeUInt16LE(packed.method, 8);
  header.writeUInt32LE(packed.crc, 14);
  header.writeUInt32LE(packed.data.length, 18);
  header.writeUInt32LE(packed.sizeBytes, 22);
  header.writeUInt16LE(Buffer.byteLength(localName), 26);
  return Buffer.concat([header, Buffer.from(localName)]);
}

function centralHeader(
  { name, encrypted = false, claimedBytes }: ZipFile,
  packed: Packed,
  { offset, zip64 }: { offset: number; zip64: boolean },
): Buffer {
  const header = Buffer.alloc(46);
  const extra = zip64 ? Buffer.alloc(28) : Buffer.alloc(0);
  const sizeBytes = claimedBytes ?? packed.sizeBytes;
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(encrypted ? 1 : 0, 8);
  header.writeUInt16LE(packed.method, 10);
  header.writeUInt32LE(packed.crc, 16);
  header.writeUInt32LE(zip64 ? 0xffffffff : packed.data.length, 20);
  header.writeUInt32LE(zip64 ? 0xffffffff : sizeBytes, 24);
  header.writeUInt16LE(Buffer.byteLength(name), 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(zip64 ? 0xffffffff : offset, 42);
  if (zip64) {
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    for (const [index, value] of [sizeBytes, packed.data.length, offset].entries())
      extra.writeBigUInt64LE(BigInt(value), 4 + 8 * index);
  }
  return Buffer.concat([header, Buffer.from(name), extra]);
}

interface End {
  readonly count: number;
  readonly directoryBytes: number;
  readonly offset: number;
  readonly comment: string;
  readonly zip64: boolean;
}

function endRecords({ count, directoryBytes, offset, comment, zip64 }: End): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(zip64 ? 0xffff : count, 8);
  end.writeUInt16LE(zip64 ? 0xffff : count, 10);
  end.writeUInt32LE(zip64 ? 0xffffffff : directoryBytes, 12);
  end.writeUInt32LE(zip64 ? 0xffffffff : offset, 16);
  end.writeUInt16LE(Buffer.byteLength(comment), 20);
  const last = Buffer.concat([end, Buffer.from(comment)]);
  if (!zip64) return last;
  const record = Buffer.alloc(56 + 20);
  record.writeUInt32LE(0x06064b50, 0);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(count), 24);
  record.writeBigUInt64LE(BigInt(count), 32);
  record.writeBigUInt64LE(BigInt(directoryBytes), 40);
  record.writeBigUInt64LE(BigInt(offset), 48);
  record.writeUInt32LE(0x07064b50, 56);
  record.writeBigUInt64LE(BigInt(offset + directoryBytes), 64);
  record.writeUInt32LE(1, 72);
  return Buffer.concat([record, last]);
}

/** A jar of Maven's: the properties that say what it is, and more. */
export function jarOf(coordinates: readonly string[], files: readonly ZipFile[] = []): Buffer {
  const poms = coordinates.map((text) => {
    const [group, artifact, version] = text.split(':');
    return {
      name: `META-INF/maven/${group}/${artifact}/pom.properties`,
      text: `#Created by Apache Maven\nversion=${version}\ngroupId=${group}\nartifactId=${artifact}\n`,
    };
  });
  return zipOf([{ name: 'META-INF/MANIFEST.MF', text: 'Manifest-Version: 1.0\r\n\r\n' }, ...poms, ...files]);
}
