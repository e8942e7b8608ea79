import { deflateSync } from 'node:zlib';

/** Executables made in code: no more of them than their tables and the sections' bytes. */
export interface ElfSection {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Where it is loaded. */
  readonly address?: number;
}

export interface ElfOptions {
  readonly wide?: boolean;
  readonly littleEndian?: boolean;
  /** Without the table of sections, as a thorough stripper leaves it. */
  readonly stripped?: boolean;
}

/** Each section is also a loaded, writable segment. */
export function elfOf(sections: readonly ElfSection[], options: ElfOptions = {}): Buffer {
  const { wide = true, littleEndian = true, stripped = false } = options;
  const [headerBytes, segmentBytes, sectionBytes] = wide ? [64, 56, 64] : [52, 32, 40];
  const names = Buffer.from(`\0${sections.map(({ name }) => `${name}\0`).join('')}.shstrtab\0`, 'latin1');
  const placed = place(
    [...sections, { name: '.shstrtab', bytes: names }],
    headerBytes + sections.length * segmentBytes,
  );
  const tableAt = placed.end;
  const file = Buffer.alloc(Math.max(8_192, tableAt + (placed.list.length + 1) * sectionBytes));
  const write = writer(file, wide, littleEndian);
  file.set([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1]);
  write.u16(16, 2);
  write.word(wide ? 32 : 28, headerBytes);
  write.word(wide ? 40 : 32, stripped ? 0 : tableAt);
  const counts = [
    headerBytes,
    segmentBytes,
    sections.length,
    sectionBytes,
    stripped ? 0 : placed.list.length + 1,
    placed.list.length,
  ];
  for (const [index, value] of counts.entries()) write.u16((wide ? 52 : 40) + 2 * index, value);
  for (const [index, { bytes, offset, address = 0 }] of placed.list.entries()) {
    file.set(bytes, offset);
    const nameAt = names.indexOf(`\0${placed.list[index]?.name}\0`, 0, 'latin1') + 1;
    const at = tableAt + (index + 1) * sectionBytes;
    if (!stripped) {
      write.u32(at, nameAt);
      write.u32(at + 4, 1);
      for (const [word, value] of [3, address, offset, bytes.length].entries())
        write.word(at + 8 + word * (wide ? 8 : 4), value);
    }
    if (index === sections.length) continue;
    const segmentAt = headerBytes + index * segmentBytes;
    write.u32(segmentAt, 1);
    write.u32(segmentAt + (wide ? 4 : 24), 6);
    for (const [word, value] of [offset, address, address, bytes.length].entries())
      write.word(segmentAt + (wide ? 8 + word * 8 : 4 + word * 4), value);
  }
  return file;
}

function place(sections: readonly ElfSection[], from: number) {
  let end = Math.ceil(from / 16) * 16;
  const list = sections.map((section) => {
    const offset = end;
    end = Math.ceil((offset + section.bytes.length) / 16) * 16;
    return { ...section, offset };
  });
  return { list, end };
}

function writer(file: Buffer, wide: boolean, littleEndian: boolean) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  return {
    u16: (at: number, value: number) => view.setUint16(at, value, littleEndian),
    u32: (at: number, value: number) => view.setUint32(at, value, littleEndian),
    word: (at: number, value: number) =>
      wide ? view.setBigUint64(at, BigInt(value), littleEndian) : view.setUint32(at, value, littleEndian),
  };
}

/** One section `.data` at its address. */
export function peOf(bytes: Uint8Array, address = 0x1000): Buffer {
  const file = Buffer.alloc(Math.max(8_192, 1_024 + bytes.length));
  file.write('MZ', 0, 'latin1');
  file.writeUInt32LE(128, 60);
  file.write('PE\0\0', 128, 'latin1');
  file.writeUInt16LE(1, 134);
  file.writeUInt16LE(112, 148);
  file.writeUInt16LE(0x20b, 152);
  file.write('.data', 264, 'latin1');
  file.writeUInt32LE(address, 276);
  file.writeUInt32LE(bytes.length, 280);
  file.writeUInt32LE(1_024, 284);
  file.writeUInt32LE(0xc0000040, 300);
  file.set(bytes, 1_024);
  return file;
}

/** One section of the segment `__DATA`. */
export function machOOf(name: string, bytes: Uint8Array): Buffer {
  const file = Buffer.alloc(Math.max(8_192, 1_024 + bytes.length));
  file.writeUInt32LE(0xfeedfacf, 0);
  file.writeUInt32LE(1, 16);
  file.writeUInt32LE(152, 20);
  file.writeUInt32LE(0x19, 32);
  file.writeUInt32LE(152, 36);
  file.writeUInt32LE(3, 92);
  file.writeUInt32LE(1, 96);
  file.write(name, 104, 'latin1');
  file.write('__DATA', 120, 'latin1');
  file.writeBigUInt64LE(0x1000n, 136);
  file.writeBigUInt64LE(BigInt(bytes.length), 144);
  file.writeUInt32LE(1_024, 152);
  file.set(bytes, 1_024);
  return file;
}

export interface GoBuild {
  readonly goVersion?: string;
  readonly modules?: string;
}

/** What the linker of Go 1.18 and later writes. */
export function goInfo({ goVersion = 'go1.19.8', modules = '' }: GoBuild = {}): Buffer {
  const head = Buffer.alloc(32);
  head.write('\xff Go buildinf:', 0, 'latin1');
  head[14] = 8;
  head[15] = 2;
  return Buffer.concat([head, varintText(goVersion), varintText(marked(modules))]);
}

/** What the linker of older ones writes, loaded at `address`: addresses of strings, which are addresses and lengths. */
export function oldGoInfo(
  { goVersion = 'go1.17.2', modules = '' }: GoBuild,
  address: number,
  options: ElfOptions = {},
): Buffer {
  const { wide = true, littleEndian = true } = options;
  const pointerBytes = wide ? 8 : 4;
  const texts = [Buffer.from(goVersion), marked(modules)];
  const file = Buffer.alloc(32 + 4 * pointerBytes);
  file.write('\xff Go buildinf:', 0, 'latin1');
  file[14] = pointerBytes;
  file[15] = littleEndian ? 0 : 1;
  const write = writer(file, wide, littleEndian);
  let textAddress = address + file.length;
  for (const [index, text] of texts.entries()) {
    const headerAt = 32 + index * 2 * pointerBytes;
    write.word(16 + index * pointerBytes, address + headerAt);
    write.word(headerAt, textAddress);
    write.word(headerAt + pointerBytes, text.length);
    textAddress += text.length;
  }
  return Buffer.concat([file, ...texts]);
}

export function dependencySection(packages: unknown): Buffer {
  return deflateSync(JSON.stringify({ packages }));
}

function marked(modules: string): Buffer {
  const mark = Buffer.from('3077af0c9274080241e1c107e6d618e6', 'hex');
  return modules === '' ? Buffer.alloc(0) : Buffer.concat([mark, Buffer.from(modules), mark]);
}

function varintText(text: string | Buffer): Buffer {
  const bytes = Buffer.from(text);
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.concat([Buffer.from([...length, rest]), bytes]);
    length.push((rest & 0x7f) | 0x80);
  }
}
