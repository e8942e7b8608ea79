import type { FileKind } from './inventory.ts';

/** What a layer's entry means for the image (image-spec, layer.md#whiteouts). */
export type PathMeaning =
  | { readonly kind: 'entry' | 'whiteout' | 'opaque'; readonly path: string }
  | { readonly kind: 'skip' };

const whiteoutPrefix = '.wh.';
const opaqueMarker = '.wh..wh..opq';
const metadataPrefix = '.wh..wh.';
const unclean = /(?:^|\/)\.{0,2}(?:\/|$)/;

/**
 * The path from the image's root without a leading slash; the root itself is ''. `..` never leads out of the root:
 * what points there is recorded where a runtime would put it, inside.
 */
export function normalPath(raw: string): string {
  const path = raw.endsWith('/') ? raw.slice(0, -1) : raw;
  if (!unclean.test(path)) return path;
  const segments: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') segments.pop();
    else if (segment !== '' && segment !== '.') segments.push(segment);
  }
  return segments.join('/');
}

/** Of a normalised path. */
export function pathMeaning(path: string): PathMeaning {
  const slash = path.lastIndexOf('/');
  const name = path.slice(slash + 1);
  if (!name.startsWith(whiteoutPrefix)) {
    // What aufs keeps for itself lies at the root: `.wh..wh.plnk/…`.
    return path.startsWith(metadataPrefix) ? { kind: 'skip' } : { kind: 'entry', path };
  }
  const folder = slash === -1 ? '' : path.slice(0, slash);
  if (name === opaqueMarker) return { kind: 'opaque', path: folder };
  if (name.startsWith(metadataPrefix)) return { kind: 'skip' };
  const hidden = name.slice(whiteoutPrefix.length);
  // A whiteout of nothing, or of `.` or `..`, hides nothing that has a name: it is a file with an odd one.
  if (hidden === '' || hidden === '.' || hidden === '..') return { kind: 'entry', path };
  return { kind: 'whiteout', path: folder === '' ? hidden : `${folder}/${hidden}` };
}

export function pathDepth(path: string): number {
  let depth = 1;
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) depth += 1;
  return depth;
}

/** The folders above a path, nearest first, the root ('') last; none above the root. */
export function* ancestors(path: string): Generator<string> {
  for (let at = path.lastIndexOf('/'); at > 0; at = path.lastIndexOf('/', at - 1)) yield path.slice(0, at);
  if (path !== '') yield '';
}

/** Whether an entry of this kind, in an upper layer, hides what lower layers have below its path. */
export function hidesBelow(kind: FileKind): boolean {
  return kind !== 'directory';
}

/** Of what is in an archive: `app.jar!/org/example/Main.class`; of an archive in an archive, with another `!/`. */
export function memberPath(archivePath: string, member: string): string {
  return `${archivePath}!/${member}`;
}

/** The archive that a path leads into, if it does. A folder whose name ends with `!` is taken for one. */
export function archiveOf(path: string): string | undefined {
  const at = path.indexOf('!/');
  return at === -1 ? undefined : path.slice(0, at);
}
