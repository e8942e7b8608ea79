import type { FastifyReply } from 'fastify';
import { type ManifestStat, manifestGet, manifestHead } from '../../actions/pull/manifest-get.ts';
import { manifestDelete, tagDelete } from '../../actions/push/delete.ts';
import { manifestPut } from '../../actions/push/manifest-put.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { abortable, collect, limitBytes } from '../../lib/streams.ts';
import { digestOf } from '../../oci/digest.ts';
import { parseTag, parseTagOrDigest } from '../../oci/reference.ts';
import { assertNotRevoked, grantedManifestRefusal } from '../../records/access/pull-right.ts';
import { manifestInRepository, type TagOrDigest } from '../../records/catalog/manifests.ts';
import { requestBody } from '../http/request-body.ts';
import { type OciCall, queryValues } from './call.ts';
import { etagMatches } from './conditions.ts';
import { assertMay, assertMayPush, type Permitted } from './rights.ts';

/** distribution-spec: end-3 (pulling), end-7 (pushing), end-9 (deleting). */
export async function serveManifest(
  call: OciCall,
  name: string,
  referenceText: string,
): Promise<FastifyReply> {
  switch (call.request.method) {
    case 'GET':
      return get(call, await assertMay(call, name, 'pull'), parseTagOrDigest(referenceText));
    case 'HEAD':
      return head(call, await assertMay(call, name, 'pull'), parseTagOrDigest(referenceText));
    case 'PUT':
      return put(call, await assertMayPush(call, name), parseTagOrDigest(referenceText));
    case 'DELETE':
      return remove(call, await assertMay(call, name, 'delete'), parseTagOrDigest(referenceText));
    default:
      throw new LazaretError('unsupported', `${call.request.method} is not for manifests`);
  }
}

async function get(call: OciCall, permitted: Permitted, reference: TagOrDigest): Promise<FastifyReply> {
  const { repository } = permitted;
  const manifest = await manifestGet(call.deps, { repository, reference, head: call.head });
  if (permitted.right.kind === 'granted') await assertGrantReaches(call, digestOf(manifest.body));
  setHeaders(call, manifest);
  if (etagMatches(call.request, manifest.digest)) return call.reply.code(304).send();
  const { buffer, byteOffset, byteLength } = manifest.body;
  return call.reply.send(Buffer.from(buffer, byteOffset, byteLength));
}

async function head(call: OciCall, permitted: Permitted, reference: TagOrDigest): Promise<FastifyReply> {
  const { repository, right, mayPush } = permitted;
  if (right.kind === 'granted') {
    const known = await manifestInRepository(call.deps.database.read, {
      repository: repository.name,
      reference,
    });
    if (known) await assertGrantReaches(call, known.digest);
  }
  const manifest = await manifestHead(call.deps, { repository, reference, mayPush, head: call.head });
  setHeaders(call, manifest);
  if (!manifest.reached && etagMatches(call.request, manifest.digest)) return call.reply.code(304).send();
  return call.reply.header('content-length', String(manifest.sizeBytes)).send();
}

async function put(call: OciCall, { repository }: Permitted, reference: TagOrDigest): Promise<FastifyReply> {
  const { caller, deps, request, reply, signal } = call;
  const body = limitBytes(abortable(requestBody(request), signal), limits.manifestBytesMax, tooLarge);
  const manifest = await manifestPut(deps, {
    repository,
    reference,
    tags: queryValues(request, 'tag').map(parseTag),
    bytes: await collect(body, limits.manifestBytesMax),
    contentType: request.headers['content-type'],
    principal: caller.principal,
  });
  if (manifest.subject !== undefined) reply.header('oci-subject', manifest.subject);
  if (manifest.tags.length > 0) reply.header('oci-tag', [...manifest.tags]);
  return reply
    .code(201)
    .header('location', `/v2/${repository.name}/manifests/${manifest.digest}`)
    .header('docker-content-digest', manifest.digest)
    .send();
}

async function remove(
  call: OciCall,
  { repository }: Permitted,
  reference: TagOrDigest,
): Promise<FastifyReply> {
  const { principal } = call.caller;
  if ('tag' in reference) await tagDelete(call.deps, { repository, principal, tag: reference.tag });
  else await manifestDelete(call.deps, { repository, principal, digest: reference.digest });
  return call.reply.code(202).send();
}

function setHeaders({ reply }: OciCall, manifest: ManifestStat): void {
  reply
    .header('content-type', manifest.mediaType)
    .header('docker-content-digest', manifest.digest)
    .header('etag', `"${manifest.digest}"`)
    .header('cache-control', 'private, no-cache');
  if (manifest.warnings.length > 0)
    reply.header('warning', manifest.warnings.slice(0, warningsMax).map(warningText));
}

const warningsMax = 10;
const warningLengthMax = 400;

/** distribution-spec, "Warnings": at most 4,096 bytes together. */
function warningText(text: string): string {
  const plain = text.replace(/[^\x20-\x7e]/g, '?').slice(0, warningLengthMax);
  return `299 - "${plain.replace(/["\\]/g, '\\$&')}"`;
}

/** @throws denied when an event took the image away from the caller's account */
async function assertGrantReaches({ caller, deps }: OciCall, digest: string): Promise<void> {
  if (caller.account === null) return;
  const asked = { account: caller.account, manifestDigest: digest };
  assertNotRevoked(await grantedManifestRefusal(deps.database.read, asked));
}

function tooLarge(): LazaretError {
  const bytesMax = limits.manifestBytesMax;
  return new LazaretError('manifestTooLarge', `a manifest has at most ${bytesMax} bytes`, {
    detail: { bytesMax },
  });
}
