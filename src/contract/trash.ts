import Type from 'typebox';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

export const trashListRoute = route({
  name: 'trashList',
  method: 'GET',
  path: '/api/v1/trash',
  summary: 'Deleted tags and manifests that can be brought back, newest first',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ repository: Type.Optional(Type.String({ maxLength: 255 })) }),
  body: nothing,
  response: Type.Object({
    items: Type.Array(
      Type.Object({
        repository: Type.String(),
        tag: Type.Union([Type.String(), Type.Null()], { description: 'null: a manifest' }),
        digest: Type.String(),
        deletedAt: Type.Integer({ description: 'milliseconds since 1970' }),
        deletedBy: textOrNull,
        cause: Type.Union([Type.String(), Type.Null()], { description: 'the retention rule that took it' }),
        with: Type.Union([Type.String(), Type.Null()], {
          description: 'it went with that manifest, to which it refers, and comes back with it',
        }),
        until: Type.Integer({ description: 'it is there at least until then' }),
      }),
    ),
  }),
  answer: 'json',
});

export const trashRestoreRoute = route({
  name: 'trashRestore',
  method: 'POST',
  path: '/api/v1/trash/restore',
  summary: 'Bring a deleted tag or manifest back, with what went with it',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      reference: Type.String({ maxLength: 512, description: 'acme/shop:1 or acme/shop@sha256:…' }),
    },
    { additionalProperties: false },
  ),
  response: Type.Object({
    repository: Type.String(),
    digest: Type.String(),
    manifests: Type.Array(Type.String(), { description: 'what is in service again' }),
    tags: Type.Array(Type.String()),
    tagsTaken: Type.Array(Type.String(), { description: 'tags that name something else by now' }),
  }),
  answer: 'json',
});
