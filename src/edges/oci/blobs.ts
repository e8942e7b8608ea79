import type { FastifyReply } from 'fastify';
import { type BlobName, blobAddress, blobHead, blobOpen, blobStat } from '../../actions/pull/blob-open.ts';
import { blobTracked } from '../../actions/pull/open-streams.ts';
import { blobDelete } from '../../actions/push/delete.ts';
import { LazaretError } from '../../lib/errors.ts';
import { type Digest, parseDigest } from '../../oci/digest.ts';
import { assertNotRevoked, grantedBlob } from '../../records/access/pull-right.ts';
import { quarantined, type Refusal } from '../../records/marks/door.ts';
import { endRequest } from '../http/request-signal.ts';
import type { OciCall } from './call.ts';
import { etagMatches, rangeOf } from './conditions.ts';
import { assertMay, type Permitted } from './rights.ts';
import { sendContent } from './send-content.ts';

/** distribution-spec: end-2 (pulling), end-10 (deleting). */
export async function serveBlob(call: OciCall, name: string, digestText: string): Promise<FastifyReply> {
  const { method } = call.request;
  if (method === 'GET' || method === 'HEAD') {
    const permitted = await assertMay(call, name, 'pull');
    return pull(call, permitted, parseDigest(digestText));
  }
  if (method !== 'DELETE') throw new LazaretError('unsupported', `${method} is not for blobs`);
  const { repository } = await assertMay(call, name, 'delete');
  const digest = parseDigest(digestText);
  await blobDelete(call.deps, { repository, digest, principal: call.caller.principal });
  return call.reply.code(202).send();
}

async function pull(call: OciCall, permitted: Permitted, digest: Digest): Promise<FastifyReply> {
  const { deps, request, reply, signal } = call;
  const { repository, mayPush } = permitted;
  const name = { repository, digest, mayPush };
  await assertGrantReaches(call, permitted, digest);
  // A HEAD may make the client skip an upload, so it holds the blob.
  const look = request.method === 'HEAD' ? blobHead : blobStat;
  const { sizeBytes } = await look(deps, name);
  reply
    .header('docker-content-digest', digest)
    .header('etag', `"${digest}"`)
    .header('accept-ranges', 'bytes')
    .header('cache-control', 'private, no-cache');
  if (etagMatches(request, digest)) return reply.code(304).send();
  reply.header('content-type', 'application/octet-stream');
  if (request.method === 'HEAD') return reply.header('content-length', String(sizeBytes)).send();
  const address = await blobAddress(deps, name);
  // Its length is that of this answer, which has no body.
  if (address !== undefined) return reply.code(307).header('location', address).send();
  const range = rangeOf(call, { digest, sizeBytes });
  await cutWhenQuarantined(call, name);
  const content = await blobOpen(deps, { ...name, range, signal });
  return sendContent(reply, content, { sizeBytes, range });
}

/**
 * From here to its end the answer is cut, with its connection, if a quarantine comes to reach the blob; as long as nothing
 * was sent the pull is refused instead.
 */
async function cutWhenQuarantined({ caller, deps, reply }: OciCall, name: BlobName): Promise<void> {
  const { raw } = reply;
  const cut = (refusal: Refusal) => {
    if (!reply.sent) return void endRequest(raw, quarantined(refusal));
    raw.destroy();
    const { principal } = caller;
    deps.ledger.note({
      principal,
      repository: name.repository.name,
      digest: name.digest,
      verdict: 'refused',
    });
  };
  const takenBytes = () => raw.socket?.bytesWritten ?? 0;
  const untrack = await blobTracked(deps, name, { cut, takenBytes, drop: () => void raw.destroy() });
  if (raw.destroyed) return untrack();
  raw.once('close', untrack);
}

/** @throws denied when an event took it away; blobUnknown for what no granted image needs */
async function assertGrantReaches(
  { caller, deps }: OciCall,
  { repository, right }: Permitted,
  digest: Digest,
): Promise<void> {
  if (right.kind !== 'granted' || caller.account === null) return;
  const asked = { account: caller.account, repository: repository.name, blobDigest: digest };
  const answer = await grantedBlob(deps.database.read, asked);
  if (answer.kind === 'refused') assertNotRevoked(answer.revocation);
  if (answer.kind === 'unneeded')
    throw new LazaretError('blobUnknown', `${repository.name} has no blob ${digest}`, { detail: { digest } });
}
