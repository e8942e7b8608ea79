import { LazaretError } from '../lib/errors.ts';
import { type Field, parseJsonField } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { type Descriptor, parseDescriptor, parseMediaType } from './descriptor.ts';
import { refuseLookalikes } from './lookalikes.ts';
import { isIndexMediaType, isManifestMediaType, mediaTypes } from './media-types.ts';

const schema1Types: readonly string[] = [
  'application/vnd.docker.distribution.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v1+prettyjws',
];

/**
 * What a manifest says, for deciding and linking; its bytes are kept elsewhere, as they came, so fields that are not
 * here are not lost. Sources: image-spec manifest.md and image-index.md, Docker's image manifest version 2 schema 2.
 */
export type Manifest = ImageManifest | IndexManifest;

interface ManifestBase {
  /** Of the manifest itself, whether its content or its Content-Type said so. */
  readonly mediaType: string;
  readonly artifactType?: string;
  readonly subject?: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
}

/** One image, or an artifact: then `artifactType` is set, or `config` is of a type that is no image's. */
export interface ImageManifest extends ManifestBase {
  readonly kind: 'image';
  readonly config: Descriptor;
  /** Bottom layer first. */
  readonly layers: readonly Descriptor[];
}

export interface IndexManifest extends ManifestBase {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
}

/**
 * @param contentType of the request that brought the bytes; parameters after `;` are ignored
 * @throws manifestTooLarge, manifestInvalid with `detail.path`
 */
export function parseManifest(bytes: Uint8Array, contentType?: string): Manifest {
  if (bytes.length > limits.manifestBytesMax)
    throw new LazaretError(
      'manifestTooLarge',
      `a manifest of ${bytes.length} bytes; at most ${limits.manifestBytesMax} are accepted`,
      {
        detail: { limit: 'manifestBytesMax', bytes: bytes.length },
      },
    );
  const document = parseJsonField(bytes, 'manifest', 'manifestInvalid');
  refuseLookalikes(document, members);
  const mediaType = decideMediaType(document, contentType);
  if (document.member('schemaVersion').value !== 2) throw document.member('schemaVersion').error('must be 2');
  return isIndexMediaType(mediaType) ? parseIndex(document, mediaType) : parseImage(document, mediaType);
}

const members = [
  ...[
    'schemaVersion',
    'mediaType',
    'artifactType',
    'config',
    'layers',
    'manifests',
    'subject',
    'annotations',
  ],
  ...['fsLayers', 'history', 'signatures'],
];

/** What a list of referrers calls it: distribution-spec, "Listing Referrers". */
export function manifestArtifactType(manifest: Manifest): string | undefined {
  return manifest.artifactType ?? (manifest.kind === 'image' ? manifest.config.mediaType : undefined);
}

function parseImage(document: Field, mediaType: string): ImageManifest {
  refuse(document, 'manifests', 'an image manifest may not have it (it would read as an index too)');
  const layers = document.member('layers');
  return {
    kind: 'image',
    ...parseBase(document, mediaType),
    config: parseDescriptor(document.member('config')),
    layers: layers.value === null ? [] : layers.items(limits.manifestLayersMax).map(parseDescriptor),
  };
}

function parseIndex(document: Field, mediaType: string): IndexManifest {
  for (const key of ['config', 'layers', 'fsLayers'])
    refuse(document, key, 'an index may not have it (it would read as an image too)');
  const manifests = document.member('manifests');
  return {
    kind: 'index',
    ...parseBase(document, mediaType),
    manifests: manifests.value === null ? [] : manifests.items(limits.indexChildrenMax).map(parseDescriptor),
  };
}

function parseBase(document: Field, mediaType: string): ManifestBase {
  const artifactType = document.optionalOrNull('artifactType');
  const subject = document.optionalOrNull('subject');
  return {
    mediaType,
    ...(artifactType === undefined || artifactType.value === ''
      ? {}
      : { artifactType: parseMediaType(artifactType) }),
    ...(subject === undefined ? {} : { subject: parseDescriptor(subject) }),
    annotations: document.optionalOrNull('annotations')?.stringMap(limits.manifestBytesMax) ?? {},
  };
}

/**
 * The content and the request must not disagree, and content of both shapes is refused: clients that guess
 * differently would run different things under one digest (image-spec, manifest.md#image-manifest-property-descriptions).
 */
function decideMediaType(document: Field, contentType: string | undefined): string {
  const inside = document.optionalOrNull('mediaType');
  const outside = contentType?.split(';', 1)[0]?.trim().toLowerCase() || undefined;
  const said = inside === undefined ? undefined : parseMediaType(inside);
  refuseSchema1(document, said, outside);
  if (inside !== undefined && outside !== undefined && said !== outside)
    throw inside.error(`is '${said}', but the Content-Type is '${outside}'`);
  const mediaType = said ?? outside ?? guessMediaType(document);
  if (isManifestMediaType(mediaType) || isIndexMediaType(mediaType)) return mediaType;
  throw (inside ?? document).error(`'${mediaType}' is not the media type of a manifest or an index`);
}

function refuseSchema1(document: Field, ...said: readonly (string | undefined)[]): void {
  const version = document.optional('schemaVersion');
  if (
    version?.value === 1 ||
    said.some((mediaType) => mediaType !== undefined && schema1Types.includes(mediaType))
  )
    throw (version ?? document).error(
      'Docker schema 1 is not supported; push the image again with a current client',
    );
}

function guessMediaType(document: Field): string {
  if (document.optional('manifests') !== undefined) return mediaTypes.ociIndex;
  if (document.optional('config') !== undefined) return mediaTypes.ociManifest;
  throw document.error('has neither mediaType, config nor manifests');
}

function refuse(document: Field, key: string, why: string): void {
  const found = document.optionalOrNull(key);
  if (found !== undefined) throw found.error(why);
}
