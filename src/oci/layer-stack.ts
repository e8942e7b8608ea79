/**
 * What layers show when they are applied one upon the other (image-spec, layer.md): a record is hidden by a later layer
 * that has its path again (or whites it out), or that has above it anything but a folder: a whiteout, an opaque folder,
 * or a file in the folder's place.
 */
export interface StackedRecord {
  readonly path: string;
  /** `directory` hides nothing below it; every other kind does. */
  readonly kind: string;
  /** Of its layer; 0 is the base. */
  readonly position: number;
}

/** The folders above a path from the image's root, nearest first, the root ('') last. */
export function* foldersAbove(path: string): Generator<string> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
  if (path !== '') yield '';
}

/** @param recordsAt all layers' records of a path */
export function isShown(
  { path, position }: StackedRecord,
  recordsAt: (path: string) => readonly Pick<StackedRecord, 'kind' | 'position'>[],
): boolean {
  if (recordsAt(path).some((other) => other.position > position)) return false;
  for (const folder of foldersAbove(path))
    if (recordsAt(folder).some((other) => other.position > position && other.kind !== 'directory'))
      return false;
  return true;
}
