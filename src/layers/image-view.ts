/**
 * The image's view: which of the packages that its layers hold are there when all layers are applied, one upon the
 * other. What hides a package of a lower layer: an upper layer that has the same path (the file is overwritten; so
 * of several package databases under one path only the topmost counts), a whiteout of the path or of a folder above
 * it, an opaque folder above it, and anything that is no folder in the place of a folder above it.
 *
 * Pure, and sparing: of each layer's files it needs only those whose path is one of `pathsOfInterest`.
 */
import { ancestors, archiveOf, hidesBelow } from './entry-path.ts';
import type { FileKind } from './inventory.ts';

export interface LayerInImage {
  /** 0 is the base. */
  readonly position: number;
  readonly packages: readonly PlacedPackage[];
  /** Records of this layer; may be limited to `pathsOfInterest` of all layers' packages. One record per path. */
  readonly files: Iterable<{ readonly path: string; readonly kind: FileKind }>;
}

export interface PlacedPackage {
  readonly packageId: number;
  readonly path: string;
}

export interface VisiblePackage extends PlacedPackage {
  readonly position: number;
}

/** Every path whose record can decide whether one of these is visible: the paths, their archives, all folders above them. */
export function pathsOfInterest(packages: Iterable<PlacedPackage>): ReadonlySet<string> {
  const paths = new Set<string>();
  for (const { path } of packages) {
    if (paths.has(path)) continue;
    paths.add(path);
    const archive = archiveOf(path);
    if (archive !== undefined) paths.add(archive);
    for (const folder of ancestors(path)) paths.add(folder);
  }
  return paths;
}

/** From the topmost layer down, each in its own order. */
export function imageView(layers: readonly LayerInImage[]): VisiblePackage[] {
  const visible: VisiblePackage[] = [];
  // Of all layers above the one that is looked at.
  const takenPaths = new Set<string>();
  const hiddenBelow = new Set<string>();
  for (const { position, packages, files } of layers.toSorted((a, b) => b.position - a.position)) {
    for (const { packageId, path } of packages)
      if (!isTaken(path, takenPaths) && !isBelow(path, hiddenBelow))
        visible.push({ packageId, path, position });
    for (const { path, kind } of files) {
      takenPaths.add(path);
      if (hidesBelow(kind)) hiddenBelow.add(path);
    }
    // A layer's own packages are files of it, also where the caller left those out.
    for (const { path } of packages) takenPaths.add(archiveOf(path) ?? path);
  }
  return visible;
}

/** Also what is in an archive goes with its file. */
function isTaken(path: string, taken: ReadonlySet<string>): boolean {
  const archive = archiveOf(path);
  return taken.has(path) || (archive !== undefined && taken.has(archive));
}

function isBelow(path: string, folders: ReadonlySet<string>): boolean {
  for (const folder of ancestors(path)) if (folders.has(folder)) return true;
  return false;
}
