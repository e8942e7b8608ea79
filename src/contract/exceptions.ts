import Type from 'typebox';
import { limits } from '../lib/limits.ts';
import { nothing, route } from './route.ts';
import { textOrNull } from './scans.ts';

const integerOrNull = Type.Union([Type.Integer(), Type.Null()]);
const state = Type.Union([
  Type.Literal('proposed'),
  Type.Literal('accepted'),
  Type.Literal('withdrawn'),
  Type.Literal('expired'),
]);
const status = Type.Union([Type.Literal('not_affected'), Type.Literal('fixed')]);
const justification = Type.Union([
  Type.Literal('component_not_present'),
  Type.Literal('vulnerable_code_not_present'),
  Type.Literal('vulnerable_code_not_in_execute_path'),
  Type.Literal('vulnerable_code_cannot_be_controlled_by_adversary'),
  Type.Literal('inline_mitigations_already_exist'),
]);
const text = (maxLength: number, description?: string) =>
  Type.String({ minLength: 1, maxLength, ...(description === undefined ? {} : { description }) });
const duration = text(20, 'from now on: 90d');
const named = Type.Object({ name: Type.String({ description: 'E-3' }) });

export const exceptionSchema = Type.Object({
  name: Type.String({ description: 'E-3' }),
  state,
  account: Type.Union([Type.String(), Type.Null()], {
    description: 'whose images it is for; null: everybody’s, by the operator',
  }),
  repositoryGlob: textOrNull,
  imageDigest: textOrNull,
  purl: textOrNull,
  advisory: Type.String(),
  aliases: Type.Array(Type.String()),
  status,
  justification: textOrNull,
  statement: textOrNull,
  author: Type.String(),
  expiresAt: integerOrNull,
  source: Type.Union([
    Type.Object({
      document: Type.String(),
      version: Type.Integer(),
      digest: Type.String(),
      path: Type.String({ description: 'of the product in the document' }),
      manifest: Type.Union([Type.String(), Type.Null()], { description: 'the referrer that it came as' }),
    }),
    Type.Null(),
  ]),
  createdAt: Type.Integer({ description: 'milliseconds since 1970' }),
  createdBy: Type.String(),
  decidedAt: integerOrNull,
  decidedBy: textOrNull,
  decidedBecause: textOrNull,
});

export const exceptionCreate = route({
  name: 'exceptionCreate',
  method: 'POST',
  path: '/api/v1/exceptions',
  summary: 'Say of an advisory that its findings don’t count; by role security, at once',
  audience: 'caller',
  params: nothing,
  query: nothing,
  body: Type.Object(
    {
      advisory: text(limits.advisoryNameLengthMax, 'its id, an alias, or the name of its flaw'),
      status,
      justification: Type.Optional(justification),
      statement: Type.Optional(text(limits.vexTextLengthMax, 'why, in words')),
      repositoryGlob: Type.Optional(text(limits.globLengthMax, 'default: all of the account')),
      imageDigest: Type.Optional(Type.String({ pattern: '^sha256:[0-9a-f]{64}$' })),
      purl: Type.Optional(
        text(limits.packageNameLengthMax, 'with or without a version; default: any package'),
      ),
      expires: Type.Optional(duration),
    },
    { additionalProperties: false },
  ),
  response: exceptionSchema,
  answer: 'json',
});

export const exceptionListRoute = route({
  name: 'exceptionList',
  method: 'GET',
  path: '/api/v1/exceptions',
  summary: 'The exceptions of the caller’s accounts and of the operator, the newest first',
  audience: 'caller',
  params: nothing,
  query: Type.Object({
    state: Type.Optional(
      Type.Union([state, Type.Literal('all')], { description: 'default: proposed and accepted ones' }),
    ),
    advisory: Type.Optional(text(limits.advisoryNameLengthMax)),
    after: Type.Optional(
      Type.String({ pattern: '^E-[0-9]{1,9}$', description: '`next` of the page before' }),
    ),
    limit: Type.Integer({ minimum: 1, maximum: limits.apiPageMax, default: 100 }),
  }),
  body: nothing,
  response: Type.Object({ exceptions: Type.Array(exceptionSchema), next: textOrNull }),
  answer: 'json',
});

export const exceptionShow = route({
  name: 'exceptionShow',
  method: 'GET',
  path: '/api/v1/exceptions/:name',
  summary: 'An exception: what it says, who said so where, and who decided',
  audience: 'caller',
  params: named,
  query: nothing,
  body: nothing,
  response: exceptionSchema,
  answer: 'json',
});

export const exceptionAccept = route({
  name: 'exceptionAccept',
  method: 'POST',
  path: '/api/v1/exceptions/:name/accept',
  summary: 'Let a proposed exception count',
  audience: 'caller',
  params: named,
  query: nothing,
  body: Type.Object(
    { because: Type.Optional(text(1_000)), expires: Type.Optional(duration) },
    { additionalProperties: false },
  ),
  response: exceptionSchema,
  answer: 'json',
});

export const exceptionWithdraw = route({
  name: 'exceptionWithdraw',
  method: 'POST',
  path: '/api/v1/exceptions/:name/withdraw',
  summary: 'End an exception, or refuse a proposed one',
  audience: 'caller',
  params: named,
  query: nothing,
  body: Type.Object({ because: Type.Optional(text(1_000)) }, { additionalProperties: false }),
  response: exceptionSchema,
  answer: 'json',
});

export const vexImport = route({
  name: 'vexImport',
  method: 'POST',
  path: '/api/v1/vex',
  summary: 'Import an OpenVEX document: its statements count at once; a newer version replaces an older one',
  audience: 'caller',
  params: nothing,
  query: Type.Object({ expires: Type.Optional(duration) }),
  body: nothing,
  response: Type.Object({
    document: Type.String(),
    version: Type.Integer(),
    author: Type.String(),
    unchanged: Type.Boolean({ description: 'it was imported before' }),
    added: Type.Array(Type.String()),
    kept: Type.Integer({ description: 'said by an older version too' }),
    withdrawn: Type.Integer({ description: 'said by an older version only' }),
    otherStatements: Type.Integer({ description: 'affected or under_investigation: no exception' }),
    unaddressed: Type.Array(Type.Object({ path: Type.String(), reason: Type.String() }), {
      description: 'products that can’t be told in an image',
    }),
  }),
  answer: 'json',
  streamedBody: true,
});
