import type { Field } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from './digest.ts';
import { refuseLookalikes } from './lookalikes.ts';

/** image-spec, descriptor.md */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  readonly artifactType?: string;
  readonly platform?: Platform;
  readonly annotations: Readonly<Record<string, string>>;
}

/** image-spec, image-index.md */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly osVersion?: string;
}

const members = ['mediaType', 'digest', 'size', 'urls', 'annotations', 'data', 'platform', 'artifactType'];

/** @throws the field's code */
export function parseDescriptor(field: Field): Descriptor {
  refuseLookalikes(field, members);
  const artifactType = field.optionalOrNull('artifactType')?.string();
  const platform = field.optionalOrNull('platform');
  const descriptor: Descriptor = {
    mediaType: parseMediaType(field.member('mediaType')),
    digest: parseDigestField(field.member('digest')),
    size: field.member('size').count(),
    ...(artifactType ? { artifactType } : {}),
    ...(platform === undefined ? {} : { platform: parsePlatform(platform) }),
    annotations: field.optionalOrNull('annotations')?.stringMap(limits.manifestBytesMax) ?? {},
  };
  for (const url of field.optionalOrNull('urls')?.items(100) ?? []) url.string();
  const data = field.optionalOrNull('data');
  if (data !== undefined) checkEmbedded(data, descriptor);
  return descriptor;
}

/** @throws the field's code */
export function parseDigestField(field: Field): Digest {
  const text = field.string();
  if (isDigest(text)) return text;
  throw field.error(`'${text.slice(0, 160)}' is not a sha256 or sha512 digest`);
}

/** RFC 6838: `type/subtype`, without parameters. @throws the field's code */
export function parseMediaType(field: Field): string {
  const text = field.text(255);
  if (/^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*$/.test(text)) return text;
  throw field.error(`'${text}' is not a media type`);
}

function parsePlatform(field: Field): Platform {
  const variant = field.optionalOrNull('variant')?.string();
  const osVersion = field.optionalOrNull('os.version')?.string();
  return {
    architecture: field.member('architecture').string(),
    os: field.member('os').string(),
    ...(variant ? { variant } : {}),
    ...(osVersion ? { osVersion } : {}),
  };
}

/** descriptor.md: content embedded as `data` must be the content that digest and size name. */
function checkEmbedded(field: Field, { digest, size }: Descriptor): void {
  const text = field.string(limits.manifestBytesMax);
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw field.error('is not base64');
  if (bytes.length !== size) throw field.error(`holds ${bytes.length} bytes where size says ${size}`);
  if (digestOf(bytes, digestAlgorithm(digest)) !== digest)
    throw field.error('does not have the digest of its descriptor');
}
