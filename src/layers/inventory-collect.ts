import assert from 'node:assert/strict';
import type {
  FoundArchive,
  FoundMalware,
  FoundPackage,
  HardLink,
  InventoryPart,
  LayerFile,
  LayerInventory,
  LayerSecret,
  LayerSummary,
} from './inventory.ts';

/** All parts in one piece, for layers known to be small: it holds every record in memory. */
export async function collectInventory(parts: AsyncIterable<InventoryPart>): Promise<LayerInventory> {
  const files = new Map<string, LayerFile>();
  const packages: FoundPackage[] = [];
  const secrets: LayerSecret[] = [];
  const malware: FoundMalware[] = [];
  const archives: FoundArchive[] = [];
  let summary: LayerSummary | undefined;
  for await (const part of parts) {
    if (part.kind === 'files') for (const file of part.files) files.set(file.path, file);
    else if (part.kind === 'hiders') for (const file of part.files) addHider(files, file);
    else if (part.kind === 'hardLinks') for (const link of part.links) addContent(files, link);
    else if (part.kind === 'packages') packages.push(...part.packages);
    else if (part.kind === 'secrets') secrets.push(...part.secrets);
    else if (part.kind === 'malware') malware.push(...part.malware);
    else if (part.kind === 'archive') archives.push(part.archive);
    else summary = part.summary;
  }
  assert(summary !== undefined, 'an inventory ends with its summary');
  return { ...summary, files: [...files.values()], packages, secrets, malware, archives };
}

function addHider(files: Map<string, LayerFile>, hider: LayerFile): void {
  const present = files.get(hider.path);
  if (present === undefined) files.set(hider.path, hider);
  else if (present.kind === 'directory') files.set(hider.path, { ...present, kind: 'opaque' });
}

function addContent(files: Map<string, LayerFile>, { path, target }: HardLink): void {
  const link = files.get(path);
  const { kind, sizeBytes, sha256 } = files.get(target) ?? {};
  if (link?.kind !== 'hardlink' || kind !== 'file' || sizeBytes === undefined) return;
  files.set(path, { ...link, sizeBytes, ...(sha256 === undefined ? {} : { sha256 }) });
}
