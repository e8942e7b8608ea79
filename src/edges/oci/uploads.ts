import type { FastifyReply } from 'fastify';
import { blobMount } from '../../actions/push/blob-mount.ts';
import {
  uploadAppend,
  uploadCancel,
  uploadStart,
  uploadStatus,
  uploadUnknown,
} from '../../actions/push/upload.ts';
import { uploadFinish, uploadMonolithic } from '../../actions/push/upload-finish.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import { type Digest, type DigestAlgorithm, parseDigest } from '../../oci/digest.ts';
import { parseRepositoryName, type RepositoryName } from '../../oci/reference.ts';
import { grantedBlob } from '../../records/access/pull-right.ts';
import { blobHolders } from '../../records/catalog/blobs.ts';
import { requestBody } from '../http/request-body.ts';
import { type OciCall, queryValue } from './call.ts';
import { type ChunkRange, parseContentRange } from './conditions.ts';
import { assertMayPush, mayMountFrom } from './rights.ts';

/** distribution-spec, "Pushing blobs": end-4a, end-4b, end-11. */
export async function serveUploads(call: OciCall, name: string): Promise<FastifyReply> {
  if (call.request.method !== 'POST') throw new LazaretError('unsupported', 'an upload is begun by POST');
  const { repository } = await assertMayPush(call, name);
  const { caller, deps, request, reply, signal } = call;
  const mount = queryValue(request, 'mount');
  if (mount !== undefined && (await mounted(call, repository, mount))) return reply;
  const principal = caller.principal;
  const digest = queryValue(request, 'digest');
  if (digest !== undefined && hasBody(call)) {
    const blob = { repository, principal, digest: parseDigest(digest), ...bodyOf(call), signal };
    const pushed = await uploadMonolithic(deps, blob);
    deps.metrics.uploadEnded(pushed.sizeBytes);
    return sendCreated(call, repository, pushed.digest);
  }
  const algorithm = algorithmOf(queryValue(request, 'digest-algorithm'));
  const { uploadId } = await uploadStart(deps, { repository, principal, algorithm });
  return sendProgress(call, { repository, uploadId, offset: 0, status: 202 });
}

const sessionName = /^[0-9a-f-]{36}$/;

/** distribution-spec, "Pushing blobs": end-5, end-6, end-13, and cancelling. */
export async function serveUpload(call: OciCall, name: string, uploadId: string): Promise<FastifyReply> {
  const { repository } = await assertMayPush(call, name);
  if (!sessionName.test(uploadId)) throw uploadUnknown(uploadId);
  try {
    return await serveSession(call, repository, uploadId);
  } catch (error) {
    if (hasCode(error, 'uploadRange')) {
      const { principal } = call.caller;
      const { offset } = await uploadStatus(call.deps, { repository, uploadId, principal });
      setProgress(call, { repository, uploadId, offset });
    }
    throw error;
  }
}

async function serveSession(
  call: OciCall,
  repository: RepositoryName,
  uploadId: string,
): Promise<FastifyReply> {
  const { deps, request, reply, signal } = call;
  const upload = { repository, uploadId, principal: call.caller.principal };
  switch (request.method) {
    case 'GET':
      return sendProgress(call, { ...upload, ...(await uploadStatus(deps, upload)), status: 204 });
    case 'PATCH': {
      const part = { ...upload, ...bodyOf(call), range: contentRange(call), signal };
      return sendProgress(call, { ...upload, ...(await uploadAppend(deps, part)), status: 202 });
    }
    case 'PUT': {
      const digest = parseDigest(queryValue(request, 'digest') ?? '');
      const body = hasBody(call) ? { ...bodyOf(call), range: contentRange(call) } : {};
      const end = { ...upload, digest, ...body, signal };
      const pushed = await uploadFinish(deps, end);
      deps.metrics.uploadEnded(pushed.sizeBytes);
      return sendCreated(call, repository, pushed.digest);
    }
    case 'DELETE':
      await uploadCancel(deps, upload);
      return reply.code(204).send();
    default:
      throw new LazaretError('unsupported', `${request.method} is not for uploads`);
  }
}

/**
 * From the repository that `from` names, or, without it, from any that holds the blob. What the caller may not read is
 * not mounted but uploaded, as if it were not there.
 */
async function mounted(call: OciCall, repository: RepositoryName, mount: string): Promise<boolean> {
  const digest = parseDigest(mount);
  const named = queryValue(call.request, 'from');
  const sources =
    named === undefined
      ? await blobHolders(call.deps.database.read, { digest, near: repository })
      : [parseRepositoryName(named)];
  for (const from of sources) {
    const allowed = await mayMount(call, { from, into: repository, digest });
    const blob = await blobMount(call.deps, { repository, from, digest, allowed });
    if (!blob) continue;
    await sendCreated(call, repository, blob.digest);
    return true;
  }
  return false;
}

/** @throws unauthorized if the token is not for reading there, but the caller may */
async function mayMount(
  call: OciCall,
  mount: { readonly from: RepositoryName; readonly into: RepositoryName; readonly digest: Digest },
): Promise<boolean> {
  const right = await mayMountFrom(call, mount);
  if (right !== 'granted' || call.caller.account === null) return right === 'owner';
  const asked = { account: call.caller.account, repository: mount.from.name, blobDigest: mount.digest };
  return (await grantedBlob(call.deps.database.read, asked)).kind === 'allowed';
}

interface Progress {
  readonly repository: RepositoryName;
  readonly uploadId: string;
  readonly offset: number;
}

function sendProgress(call: OciCall, progress: Progress & { readonly status: 202 | 204 }): FastifyReply {
  setProgress(call, progress);
  return call.reply.code(progress.status).send();
}

function setProgress({ reply }: OciCall, { repository, uploadId, offset }: Progress): void {
  reply
    .header('location', `/v2/${repository.name}/blobs/uploads/${uploadId}`)
    .header('range', `0-${Math.max(0, offset - 1)}`)
    .header('docker-upload-uuid', uploadId);
}

function sendCreated({ reply }: OciCall, repository: RepositoryName, digest: string): FastifyReply {
  return reply
    .code(201)
    .header('location', `/v2/${repository.name}/blobs/${digest}`)
    .header('docker-content-digest', digest)
    .send();
}

function bodyOf({ request }: OciCall) {
  const { 'content-length': length } = request.headers;
  const lengthBytes = length === undefined ? undefined : Number(length);
  return { source: requestBody(request), disposable: true, lengthBytes };
}

function hasBody({ request }: OciCall): boolean {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== '0');
}

/**
 * `start-end`, as the distribution-spec writes it; `bytes start-end/*` is understood too.
 * @throws uploadInvalid; sizeInvalid, before a byte is read, if the request says that its body has another length
 */
function contentRange({ request }: OciCall): ChunkRange | undefined {
  const { 'content-range': header, 'content-length': length } = request.headers;
  if (header === undefined) return undefined;
  const range = parseContentRange(header);
  if (range === undefined)
    throw new LazaretError('uploadInvalid', `'${header.slice(0, 80)}' is not a range of bytes`);
  if (length !== undefined && Number(length) !== range.end - range.start + 1)
    throw new LazaretError('sizeInvalid', `the range ${header} has not the ${length} bytes of the body`);
  return range;
}

function algorithmOf(text: string | undefined): DigestAlgorithm | undefined {
  if (text === undefined || text === 'sha256' || text === 'sha512') return text;
  throw new LazaretError('digestInvalid', `'${text.slice(0, 40)}' is not an algorithm that is known here`);
}
