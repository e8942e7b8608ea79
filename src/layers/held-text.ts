/**
 * How much of a layer is held until it has ended, by estimate: the lengths of its texts, and something for each record.
 * A layer that is made to hurt has as many records, with as long texts, as its entries allow.
 */
import type { Extracted, ExtractedPackage } from './extractor.ts';

/** What a record takes in memory beside its texts. */
const recordBytes = 200;

export function heldBytes(texts: readonly (string | undefined)[]): number {
  return texts.reduce((total, text = '') => total + text.length, recordBytes);
}

/** Of what one file gave. */
export function heldOfExtracted(path: string, { packages = [], stated, linked }: Extracted): number {
  const ofPackages = packages.reduce((total, found) => total + heldOfPackage(found), 0);
  const ofLinked = linked === undefined ? 0 : heldOfExtracted('', linked);
  return heldBytes([path, stated?.package, stated?.license]) + ofPackages + ofLinked;
}

function heldOfPackage(found: ExtractedPackage): number {
  const { purl, name, version, sourceName, sourceVersion, license, member } = found;
  return heldBytes([purl, name, version, sourceName, sourceVersion, license, member]);
}
