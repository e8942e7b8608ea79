import Type, { type TProperties, type TSchema } from 'typebox';
import { limits } from '../lib/limits.ts';
import { imagePlatform, imageReference, inspectionState, inventoryVersion } from './images.ts';
import { nothing, route } from './route.ts';
import { sbomFormatSchema } from './sbom-rules.ts';
import { textOrNull } from './scans.ts';

/** Where one looks: at what all layers together show, or into each layer, also at what a later one hides. */
const place = (byDefault: 'image' | 'layer') =>
  Type.Union([Type.Literal('image'), Type.Literal('layer')], {
    default: byDefault,
    description: 'image: what all layers together show; layer: also what a later layer hides or replaces',
  });

const glob = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: limits.globLengthMax, description }));

/** What every list of an image's contents is asked by, beside filters of its own. */
function listQuery(byDefault: 'image' | 'layer') {
  return {
    reference: imageReference,
    platform: Type.Optional(imagePlatform),
    in: place(byDefault),
    layer: Type.Optional(Type.String({ maxLength: 160, description: 'the digest of one layer' })),
    path: glob('a glob that the path matches: usr/lib/**'),
    after: Type.Optional(
      Type.String({ maxLength: limits.cursorLengthMax, description: '`next` of the page before' }),
    ),
    limit: Type.Integer({
      minimum: 1,
      maximum: limits.inventoryPageMax,
      default: limits.apiPageDefault,
    }),
  };
}

/** One list of what is in an image: the same paging, places and filters for all kinds of contents. */
function inventoryList<F extends TProperties, I extends TSchema>(list: {
  readonly name: string;
  /** The last part of its path. */
  readonly noun: string;
  readonly summary: string;
  readonly in: 'image' | 'layer';
  readonly filters: F;
  readonly item: I;
}) {
  return route({
    name: list.name,
    method: 'GET',
    path: `/api/v1/images/${list.noun}`,
    summary: list.summary,
    audience: 'caller',
    params: nothing,
    query: Type.Object({ ...listQuery(list.in), ...list.filters }),
    body: nothing,
    response: Type.Object({
      digest: Type.String({ description: 'of the image' }),
      state: inspectionState,
      reason: textOrNull,
      inventoryVersion,
      items: Type.Array(list.item),
      next: Type.Union([Type.String(), Type.Null()], {
        description:
          'null: this was the last page. A page may be shorter than asked, and even empty, before that',
      }),
    }),
    answer: 'json',
  });
}

const shown = Type.Boolean({ description: 'false: a later layer hides or replaces it' });
const layer = Type.String({ description: 'the digest of the layer that has it' });

const purlType = Type.Optional(Type.String({ maxLength: 64, description: 'as in its purl: deb, npm' }));
const packageName = glob('a glob that the name matches');

const listedPackage = Type.Object({
  purl: Type.String(),
  ecosystem: Type.String(),
  name: Type.String(),
  version: Type.String(),
  sourceName: textOrNull,
  sourceVersion: textOrNull,
  license: Type.Union([Type.String(), Type.Null()], { description: 'as the package states it' }),
  spdx: Type.Union([Type.String(), Type.Null()], {
    description: 'the licence as an SPDX expression; null: unknown, none is stated or it is not understood',
  }),
  layer,
  path: Type.String(),
  shown,
});

export const imagePackageList = inventoryList({
  name: 'imagePackageList',
  noun: 'packages',
  summary: 'The packages in an image, by name',
  in: 'image',
  filters: { type: purlType, name: packageName },
  item: listedPackage,
});

export const imageLicenseList = inventoryList({
  name: 'imageLicenseList',
  noun: 'licenses',
  summary: 'The licences in an image: its packages in order of their SPDX expressions, unknown ones first',
  in: 'image',
  filters: {
    type: purlType,
    name: packageName,
    license: glob("a glob that the SPDX expression matches: *GPL-*; 'unknown' for what is not known"),
  },
  item: listedPackage,
});

export const imageFileList = inventoryList({
  name: 'imageFileList',
  noun: 'files',
  summary: 'The files and folders in an image, by path',
  in: 'image',
  filters: {},
  item: Type.Object({
    path: Type.String(),
    kind: Type.String({
      description: 'file, directory, link, hardlink or device; in: layer also whiteout, opaque',
    }),
    sizeBytes: Type.Integer(),
    mode: Type.Integer(),
    sha256: textOrNull,
    layer,
    shown,
  }),
});

export const imageSbom = route({
  name: 'imageSbom',
  method: 'GET',
  path: '/api/v1/images/sbom',
  summary:
    'The bill of materials of an image, as application/vnd.cyclonedx+json (1.6) or application/spdx+json (2.3)',
  audience: 'caller',
  params: nothing,
  query: Type.Object({
    reference: imageReference,
    platform: Type.Optional(imagePlatform),
    format: Type.Union(sbomFormatSchema.anyOf, { default: 'cyclonedx' }),
  }),
  body: nothing,
  response: Type.Unknown(),
  answer: 'bytes',
});

export const imageSecretList = inventoryList({
  name: 'imageSecretList',
  noun: 'secrets',
  summary: 'Where an image has secrets, by path; never their values',
  in: 'layer',
  filters: { kind: glob('a glob that the kind matches: aws-*') },
  item: Type.Object({
    kind: Type.String(),
    path: Type.String({ description: 'config:Env/NAME and the like in the config of the image' }),
    line: Type.Union([Type.Integer(), Type.Null()]),
    fingerprint: Type.String({ description: 'for criteria: secret.fingerprint' }),
    layer: Type.Union([Type.String(), Type.Null()], { description: 'null: the config has it' }),
    shown,
  }),
});

export const imageMalwareList = inventoryList({
  name: 'imageMalwareList',
  noun: 'malware',
  summary: 'The files of an image that ClamAV knows, by path; its state is whether all was looked through',
  in: 'layer',
  filters: { signature: glob("a glob that the signature's name matches: Unix.Trojan.*") },
  item: Type.Object({ signature: Type.String(), path: Type.String(), layer, shown }),
});
