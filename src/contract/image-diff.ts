import Type, { type TProperties, type TSchema } from 'typebox';
import { limits } from '../lib/limits.ts';
import { imagePlatform, inspectionState } from './images.ts';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const reference = Type.String({ maxLength: 512, description: 'acme/shop:1 or acme/shop@sha256:…' });
const change = Type.Union([Type.Literal('added'), Type.Literal('removed'), Type.Literal('changed')]);
const compared = Type.Object({ digest: Type.String(), state: inspectionState, reason: textOrNull });
const versions = Type.Array(Type.String(), { description: 'versions that only this one of the images has' });

/** One kind of difference between two images, in pages. */
function imageDiff<F extends TProperties, I extends TSchema>(diff: {
  readonly name: string;
  readonly noun: string;
  readonly summary: string;
  readonly filters: F;
  readonly item: I;
}) {
  return route({
    name: diff.name,
    method: 'GET',
    path: `/api/v1/images/diff/${diff.noun}`,
    summary: diff.summary,
    audience: 'caller',
    params: nothing,
    query: Type.Object({
      from: reference,
      to: reference,
      platform: Type.Optional(imagePlatform),
      after: Type.Optional(Type.String({ maxLength: limits.cursorLengthMax })),
      limit: Type.Integer({ minimum: 1, maximum: limits.inventoryPageMax, default: limits.apiPageDefault }),
      ...diff.filters,
    }),
    body: nothing,
    response: Type.Object({
      from: compared,
      to: compared,
      advisorySources: Type.Integer({ description: '0: none was ever loaded, so findings say nothing' }),
      advisoryGaps: Type.Array(Type.String(), {
        description: 'why nobody can tell what else applies: no advisories of Debian:12 were loaded',
      }),
      items: Type.Array(diff.item),
      next: Type.Union([Type.String(), Type.Null()], {
        description:
          'null: this was the last page. A page may be shorter than asked, and even empty, before that',
      }),
    }),
    answer: 'json',
  });
}

const side = Type.Union([
  Type.Object({
    kind: Type.String(),
    sizeBytes: Type.Integer(),
    mode: Type.Integer(),
    sha256: textOrNull,
    layer: Type.String(),
  }),
  Type.Null(),
]);

export const imageDiffPackages = imageDiff({
  name: 'imageDiffPackages',
  noun: 'packages',
  summary: 'The packages that one image has and another has not, or in another version',
  filters: {},
  item: Type.Object({ change, type: Type.String(), name: Type.String(), from: versions, to: versions }),
});

export const imageDiffFindings = imageDiff({
  name: 'imageDiffFindings',
  noun: 'findings',
  summary: 'The advisories that apply to one image and not to another, or to another version of a package',
  filters: {},
  item: Type.Object({
    change,
    advisory: Type.String(),
    severity: Type.String(),
    type: Type.String(),
    name: Type.String(),
    from: versions,
    to: versions,
  }),
});

export const imageDiffFiles = imageDiff({
  name: 'imageDiffFiles',
  noun: 'files',
  summary: 'The files that one image has and another has not, or with other contents, kind or mode',
  filters: {
    path: Type.Optional(
      Type.String({ minLength: 1, maxLength: limits.globLengthMax, description: 'a glob' }),
    ),
  },
  item: Type.Object({ change, path: Type.String(), from: side, to: side }),
});
