import { LazaretError } from '../../lib/errors.ts';
import { parseReference, parseTag } from '../../oci/reference.ts';

/** A repository, if the source names one, and a tag. */
export interface ImageName {
  readonly repository?: string;
  readonly tag?: string;
}

const refName = 'org.opencontainers.image.ref.name';
/** What containerd and docker write beside it: the whole reference. */
const imageName = 'io.containerd.image.name';

/** What the entry of a layout's index is called: only a tag, or a whole reference, of which the registry is left out. */
export function nameOfEntry(annotations: Readonly<Record<string, string>>): ImageName {
  for (const name of [annotations[imageName], annotations[refName]]) {
    if (name === undefined || name === '') continue;
    const found = tagOnly(name) ?? nameOfReference(name);
    if (found !== undefined) return found;
  }
  return {};
}

/** @returns undefined where it is no reference */
export function nameOfReference(text: string): ImageName | undefined {
  try {
    const { repository, tag } = parseReference(text);
    return { repository: repository.name, ...(tag === undefined ? {} : { tag }) };
  } catch (error) {
    if (error instanceof LazaretError) return undefined;
    throw error;
  }
}

function tagOnly(text: string): ImageName | undefined {
  try {
    return { tag: parseTag(text) };
  } catch (error) {
    if (error instanceof LazaretError) return undefined;
    throw error;
  }
}
