/**
 * rpm's own database format, `Packages.db` (lib/backend/ndb/rpmpkg.c), which SUSE uses. All numbers are little-endian.
 * Pages of slots come first; a slot says where a package's blob begins, in blocks of 16 bytes:
 *
 *     file: 'RpmP' · version · generation · pages of slots · …; slots from byte 32 on
 *     slot: 'Slot' · package · block · blocks
 *     blob: 'BlbS' · package · generation · length · header · …
 */
import type { FileContent } from '../../extractor.ts';
import { BrokenDatabase, HeaderBudget, readExactly, viewOf } from './header-reader.ts';

const magic = { file: 0x506d7052, slot: 0x746f6c53, blob: 0x53626c42 } as const;
const pageBytes = 4_096;
const blockBytes = 16;
const slotBytes = 16;
const firstSlot = 32;

/** @throws BrokenDatabase */
export function* ndbHeaders(content: FileContent): Generator<Uint8Array> {
  const head = viewOf(readExactly(content, 0, firstSlot));
  if (head.getUint32(0, true) !== magic.file || head.getUint32(4, true) !== 0)
    throw new BrokenDatabase('it is no ndb database');
  const slotPages = head.getUint32(12, true);
  const budget = new HeaderBudget(content);
  for (let page = 0; page < slotPages; page += 1) {
    // The first two places of the first page are the file's own head.
    const start = page === 0 ? firstSlot : 0;
    const slots = viewOf(readExactly(content, page * pageBytes + start, pageBytes - start).slice());
    for (let at = 0; at < slots.byteLength; at += slotBytes) {
      if (slots.getUint32(at, true) !== magic.slot) throw new BrokenDatabase('a slot that is none');
      const block = slots.getUint32(at + 8, true);
      const number = slots.getUint32(at + 4, true);
      // A slot is free that says no block.
      if (block !== 0) yield blobAt(content, budget, { number, block });
    }
  }
}

function blobAt(
  content: FileContent,
  budget: HeaderBudget,
  { number, block }: { readonly number: number; readonly block: number },
): Uint8Array {
  const head = viewOf(readExactly(content, block * blockBytes, blockBytes));
  if (number === 0 || head.getUint32(0, true) !== magic.blob || head.getUint32(4, true) !== number)
    throw new BrokenDatabase(`slot ${number} names no blob`);
  const length = head.getUint32(12, true);
  budget.take(length);
  return readExactly(content, (block + 1) * blockBytes, length);
}
