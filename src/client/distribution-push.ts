import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { ByteSource } from '../lib/streams.ts';
import { type Digest, digestAlgorithm } from '../oci/digest.ts';
import type { Asked } from './distribution-pull.ts';
import type { RegistryResponse, RegistrySession } from './registry-session.ts';

/** What the distribution-spec lets a client write, in words. */

/** One attempt to bring a blob; goes on after a cut from where the registry says it stands. */
export interface UploadAt {
  /** The registry's address of the session. */
  readonly location: string;
  /** The first byte that it lacks. */
  readonly offset: number;
}

export interface PushAsked extends Asked {
  readonly digest: Digest;
}

/**
 * Begins an upload, or finds that none is needed.
 * @param asked.from a repository of this registry that holds the blob
 * @returns undefined when the blob was mounted from there
 */
export async function uploadBegin(
  session: RegistrySession,
  asked: PushAsked & { readonly from?: string | undefined },
): Promise<UploadAt | undefined> {
  const { repository, digest, from, signal } = asked;
  const query = new URLSearchParams(
    from === undefined
      ? digestAlgorithm(digest) === 'sha256'
        ? {}
        : { 'digest-algorithm': digestAlgorithm(digest) }
      : { mount: digest, from },
  );
  const scopes = [...pushOf(repository), ...(from === undefined ? [] : [`repository:${from}:pull`])];
  const path = `${uploadsPath(repository)}${query.size === 0 ? '' : `?${query}`}`;
  const response = await session.send({ method: 'POST', path, scopes, signal });
  await response.body.dump();
  return response.statusCode === 201 ? undefined : { location: locationOf(session, response), offset: 0 };
}

/** @returns how far the session has come; undefined when there is none any more */
export async function uploadStatus(
  session: RegistrySession,
  { repository, location, signal }: Asked & { readonly location: string },
): Promise<UploadAt | undefined> {
  const response = await session.find({ method: 'GET', path: location, scopes: pushOf(repository), signal });
  if (response === undefined) return undefined;
  await response.body.dump();
  return { location: optionalLocation(session, response) ?? location, offset: offsetOf(response) };
}

/** Sends what the session lacks. @returns where it then stands; a failed source or connection leaves what had come */
export async function uploadSend(
  session: RegistrySession,
  asked: Asked & { readonly at: UploadAt; readonly sizeBytes: number; readonly source: ByteSource },
): Promise<UploadAt> {
  const { repository, at, sizeBytes, source, signal } = asked;
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(sizeBytes - at.offset),
    'content-range': `${at.offset}-${sizeBytes - 1}`,
  };
  const request = { method: 'PATCH', path: at.location, scopes: pushOf(repository), headers } as const;
  const answerMs = limits.registryCloseMs;
  const response = await session.send({ ...request, body: source, signal, answerMs });
  await response.body.dump();
  return { location: locationOf(session, response), offset: sizeBytes };
}

/** Closes the session: the registry compares digests, for which it may have to read everything again. */
export async function uploadEnd(
  session: RegistrySession,
  { repository, digest, location, signal }: PushAsked & { readonly location: string },
): Promise<void> {
  const path = withDigest(location, digest);
  const answerMs = limits.registryCloseMs;
  const scopes = pushOf(repository);
  const response = await session.send({ method: 'PUT', path, scopes, body: nothing, signal, answerMs });
  await response.body.dump();
}

/** A small blob, in one request where the registry can, else in two. */
export async function blobPush(
  session: RegistrySession,
  { repository, digest, bytes, signal }: PushAsked & { readonly bytes: Uint8Array },
): Promise<void> {
  const request = {
    scopes: pushOf(repository),
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
    signal,
  };
  const path = `${uploadsPath(repository)}?digest=${digest}`;
  const response = await session.send({ ...request, method: 'POST', path });
  await response.body.dump();
  if (response.statusCode === 201) return;
  const location = withDigest(locationOf(session, response), digest);
  const closed = await session.send({ ...request, method: 'PUT', path: location });
  await closed.body.dump();
}

/** Under its digest, and under each tag. @throws manifestBlobUnknown and what else the registry answers */
export async function manifestPush(
  session: RegistrySession,
  asked: PushAsked & {
    readonly mediaType: string;
    readonly bytes: Uint8Array;
    readonly tags: readonly string[];
  },
): Promise<void> {
  const { repository, digest, tags } = asked;
  const base = `/v2/${repository}/manifests`;
  const query = new URLSearchParams();
  for (const tag of tags) query.append('tag', tag);
  const echoed = await manifestPut(
    session,
    asked,
    `${base}/${digest}${tags.length === 0 ? '' : `?${query}`}`,
  );
  // A registry that does not know the parameter ignores it.
  for (const tag of tags) if (!echoed.has(tag)) await manifestPut(session, asked, `${base}/${tag}`);
}

async function manifestPut(
  session: RegistrySession,
  asked: Asked & { readonly mediaType: string; readonly bytes: Uint8Array },
  path: string,
): Promise<ReadonlySet<string>> {
  const { repository, mediaType, bytes, signal } = asked;
  const headers = { 'content-type': mediaType };
  const request = { method: 'PUT', path, scopes: pushOf(repository), headers, body: bytes, signal } as const;
  const response = await session.send(request);
  await response.body.dump();
  const tags = response.headers['oci-tag'] ?? [];
  return new Set((typeof tags === 'string' ? tags : tags.join(',')).split(/[,\s]+/));
}

const nothing = new Uint8Array();

function uploadsPath(repository: string): string {
  return `/v2/${repository}/blobs/uploads/`;
}

function pushOf(repository: string): readonly string[] {
  return [`repository:${repository}:pull,push`];
}

function withDigest(location: string, digest: Digest): string {
  return `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`;
}

/** distribution-spec: `0-N`, both ends included. A session without a byte can only say `0-0`, or nothing. */
function offsetOf({ headers: { range } }: RegistryResponse): number {
  const end = Number(/^(?:bytes=)?0-(\d{1,15})$/.exec(String(range))?.[1] ?? 0);
  return end === 0 ? 0 : end + 1;
}

function optionalLocation(session: RegistrySession, { headers }: RegistryResponse): string | undefined {
  const { location } = headers;
  return typeof location === 'string' && URL.canParse(location, session.url)
    ? new URL(location, session.url).href
    : undefined;
}

function locationOf(session: RegistrySession, response: RegistryResponse): string {
  const location = optionalLocation(session, response);
  if (location !== undefined) return location;
  throw new LazaretError('unavailable', `${session.url} began an upload without saying where`);
}
