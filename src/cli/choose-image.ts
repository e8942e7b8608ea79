import { LazaretError } from '../lib/errors.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { type ImageManifest, type IndexManifest, parseManifest } from '../oci/manifest.ts';
import type { ImageName } from './import/image-names.ts';
import type { ImportSource, SourceRepository } from './import/import-source.ts';

/** One image of a source. */
export interface ChosenImage {
  /** For people. */
  readonly source: string;
  readonly repository: SourceRepository;
  readonly digest: Digest;
  readonly manifest: ImageManifest;
  /** As an index says it. */
  readonly platform: string | null;
}

/** @throws invalid if several could be meant, notFound if none is there */
export async function chooseImage(
  source: ImportSource,
  asked: ImageName & { readonly platform?: string | undefined },
): Promise<ChosenImage> {
  const named = { source: source.label, ...(await namedIn(source, asked)) };
  const { digest, manifest } = await manifestAt(named.repository, named.reference);
  if (manifest.kind === 'image') return { ...named, digest, manifest, platform: null };
  const child = childOf(manifest, asked.platform);
  const found = await manifestAt(named.repository, child.digest);
  if (found.manifest.kind !== 'image')
    throw new LazaretError('invalid', `${child.digest} is an index in an index; name one of its images`);
  return { ...named, digest: found.digest, manifest: found.manifest, platform: platformOf(child) };
}

async function namedIn(
  source: ImportSource,
  { repository: name, tag }: ImageName,
): Promise<{ repository: SourceRepository; reference: string }> {
  const places: { repository: SourceRepository; reference: string; text: string }[] = [];
  for (const repository of await source.repositories()) {
    if (name !== undefined && repository.name !== name) continue;
    const { tags, untagged } = await repository.list();
    const wanted = tag === undefined ? tags : tags.filter((one) => one === tag);
    // What has no tag is meant only where nothing has one: it may be a child, or refer to an image.
    const references = wanted.length > 0 || tag !== undefined ? wanted : untagged;
    for (const reference of references)
      places.push({ repository, reference, text: `${repository.name ?? ''}:${reference}` });
  }
  const [first] = places;
  if (!first)
    throw new LazaretError(
      'notFound',
      `${source.label} has no ${tag === undefined ? 'image' : `tag ${tag}`}`,
    );
  if (places.length === 1 || (await areOne(places))) return first;
  const texts = places.slice(0, placesNamed).map(({ text }) => text);
  throw new LazaretError('invalid', `${source.label} has several images; say which: ${texts.join(' ')}`);
}

const placesNamed = 10;

/** Several names of one image. */
async function areOne(
  places: readonly { readonly repository: SourceRepository; readonly reference: string }[],
): Promise<boolean> {
  if (places.length > placesNamed) return false;
  const digests = new Set<string>();
  for (const { repository, reference } of places)
    digests.add((await manifestAt(repository, reference)).digest);
  return digests.size === 1;
}

async function manifestAt(repository: SourceRepository, reference: string) {
  const found = await repository.manifest(reference);
  if (found === undefined) throw new LazaretError('notFound', `the source has no manifest ${reference}`);
  return { digest: found.digest, manifest: parseManifest(found.bytes, found.contentType) };
}

/** Attestations are children too, of a platform that nothing runs on. */
function childOf({ manifests }: IndexManifest, platform: string | undefined): Descriptor {
  const images = manifests.filter((child) => platformOf(child) !== 'unknown/unknown');
  const fitting = platform === undefined ? images : images.filter((child) => platformOf(child) === platform);
  const [only, another] = fitting;
  if (only && !another) return only;
  const all = images.map((child) => platformOf(child) ?? 'unknown').join(', ');
  throw new LazaretError(
    only ? 'invalid' : 'notFound',
    only
      ? `it is an index; say which of its images: ${all}`
      : `it has no image for ${platform}; it has ${all}`,
    { detail: { path: 'platform' } },
  );
}

function platformOf({ platform }: Descriptor): string | null {
  if (platform === undefined) return null;
  const { os, architecture, variant } = platform;
  return [os, architecture, variant].filter((part) => part !== undefined).join('/');
}
