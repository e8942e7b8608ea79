import type { LayerFileTable } from '../db/tables/inventory.ts';

/** What an inspection hands over to be kept: the inventory's words, as far as rows need them. */
export interface InventoryFile {
  readonly path: string;
  readonly kind: LayerFileTable['kind'];
  readonly sizeBytes: number;
  readonly mode: number;
  readonly sha256?: Uint8Array;
}

/** A path with the content of another of the same layer. */
export interface InventoryHardLink {
  readonly path: string;
  readonly target: string;
}

/** A distinct package version, before it is known where it was found. */
export interface PackageFacts {
  readonly purl: string;
  /** As OSV names it: `npm`, `Debian:12`; `Debian` while the release is not known; empty where there is none. */
  readonly ecosystem: string;
  readonly name: string;
  readonly version: string;
  readonly sourceName?: string | undefined;
  readonly sourceVersion?: string | undefined;
  readonly license?: string | undefined;
}

export interface InventoryPackage extends PackageFacts {
  readonly path: string;
  readonly extractor: string;
}

/** A secret's place and fingerprint; its value is nowhere. */
export interface InventorySecret {
  readonly kind: string;
  readonly path: string;
  readonly line: number;
  readonly fingerprint: Uint8Array;
  readonly keyVersion: number;
}

/** A file that a malware engine knows, by the signature's name. */
export interface InventoryMalware {
  readonly path: string;
  readonly signature: string;
}

export interface InventoryExtraction {
  readonly extractor: string;
  readonly version: number;
  readonly state: 'done' | 'unknown';
  readonly reason?: string;
  /** It is unknown for no fault of the layer: another try may do better. */
  readonly again?: true;
}

/** os-release(5). */
export interface InventoryOs {
  readonly id: string;
  readonly versionId?: string;
  readonly codename?: string;
  readonly prettyName?: string;
}

export interface InventorySummary {
  readonly state: 'done' | 'unknown' | 'notApplicable';
  readonly reason?: string;
  readonly diffId?: string;
  readonly uncompressedBytes: number;
  readonly entries: number;
  readonly extractions: readonly InventoryExtraction[];
  readonly os?: InventoryOs;
}

/** A distinct archive: its own files in columns, and where in it others lie. */
export interface InventoryArchive {
  readonly sha256: Uint8Array;
  readonly version: number;
  readonly paths: readonly string[];
  readonly sizes: Float64Array;
  readonly hashes: Uint8Array;
  readonly nested: readonly { readonly path: string; readonly sha256: Uint8Array }[];
}

/** In the order and with the meaning that the inspection's own parts have: files, hiders, hard links, packages, secrets, malware, then the summary. */
export type KeptPart =
  | { readonly kind: 'archive'; readonly archive: InventoryArchive }
  | { readonly kind: 'files' | 'hiders'; readonly files: readonly InventoryFile[] }
  | { readonly kind: 'hardLinks'; readonly links: readonly InventoryHardLink[] }
  | { readonly kind: 'packages'; readonly packages: readonly InventoryPackage[] }
  | { readonly kind: 'secrets'; readonly secrets: readonly InventorySecret[] }
  | { readonly kind: 'malware'; readonly malware: readonly InventoryMalware[] }
  | { readonly kind: 'summary'; readonly summary: InventorySummary };

/** PostgreSQL's text can't hold a zero character, and nothing that names something has one. */
export function storable(text: string, lengthMax = 4_096): string {
  return text.slice(0, lengthMax).replaceAll('\0', '\uFFFD');
}
