import { LazaretError } from '../lib/errors.ts';
import { parseJsonField } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { type ByteSource, collect } from '../lib/streams.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf, isDigest } from '../oci/digest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { mediaTypes } from '../oci/media-types.ts';
import { bodyOf, type RegistryResponse, type RegistrySession } from './registry-session.ts';

/** What the distribution-spec lets a client read, in words; `undefined` is a registry's 404. */

export interface RemoteManifest {
  readonly digest: Digest;
  /** As the registry said. */
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

export interface Asked {
  readonly repository: string;
  readonly signal?: AbortSignal | undefined;
}

const acceptManifests = [
  mediaTypes.ociIndex,
  mediaTypes.ociManifest,
  mediaTypes.dockerIndex,
  mediaTypes.dockerManifest,
].join(', ');

/** @param asked.reference a tag or a digest. @throws digestInvalid when the registry sends something else */
export async function manifestFetch(
  session: RegistrySession,
  asked: Asked & { readonly reference: string },
): Promise<RemoteManifest | undefined> {
  const response = await session.find(manifestRequest('GET', asked));
  if (response === undefined) return undefined;
  const bytes = await collect(bodyOf(session, response), limits.manifestBytesMax);
  const { reference } = asked;
  const said = isDigest(reference) ? reference : digestSaid(response);
  const digest = digestOf(bytes, said === undefined ? 'sha256' : digestAlgorithm(said));
  if (said !== undefined && said !== digest)
    throw new LazaretError('digestInvalid', `${session.url} sent something else as manifest ${said}`);
  return { digest, contentType: contentType(response), bytes };
}

/** Only what a HEAD says. @returns the digest, where the registry names it */
export async function manifestStat(
  session: RegistrySession,
  asked: Asked & { readonly reference: string },
): Promise<{ readonly digest: Digest | undefined; readonly contentType: string } | undefined> {
  const response = await session.find(manifestRequest('HEAD', asked));
  if (response === undefined) return undefined;
  await response.body.dump();
  return { digest: digestSaid(response), contentType: contentType(response) };
}

/** @returns its bytes from `offset` on, also where the registry can't begin there */
export async function blobFetch(
  session: RegistrySession,
  asked: Asked & { readonly digest: Digest; readonly offset: number },
): Promise<ByteSource | undefined> {
  const { repository, digest, offset, signal } = asked;
  const headers = offset === 0 ? {} : { range: `bytes=${offset}-` };
  const request = { method: 'GET', path: blobPath(repository, digest), scopes: pullOf(repository) } as const;
  const response = await session.find({ ...request, headers, signal });
  if (response === undefined) return undefined;
  const body = bodyOf(session, response);
  return response.statusCode === 206 || offset === 0 ? body : without(body, offset);
}

/** @returns its size in bytes */
export async function blobStat(
  session: RegistrySession,
  { repository, digest, signal }: Asked & { readonly digest: Digest },
): Promise<number | undefined> {
  const request = { method: 'HEAD', path: blobPath(repository, digest), scopes: pullOf(repository) } as const;
  const response = await session.find({ ...request, signal });
  if (response === undefined) return undefined;
  await response.body.dump();
  const length = response.headers['content-length'];
  if (length !== undefined) return Number(length);
  throw new LazaretError('unavailable', `${session.url} does not say how long ${digest} is`);
}

/** All pages. An unknown repository has none. */
export async function* tagNames(
  session: RegistrySession,
  { repository, signal }: Asked,
): AsyncGenerator<string> {
  const first = `/v2/${repository}/tags/list`;
  yield* listed(session, { first, key: 'tags', scopes: pullOf(repository), signal });
}

/** All that the registry shows to this caller. @throws unsupported when it has no catalog */
export async function* repositoryNames(
  session: RegistrySession,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  yield* listed(session, {
    first: '/v2/_catalog',
    key: 'repositories',
    scopes: ['registry:catalog:*'],
    signal,
  });
}

/** By the API where the registry has it, else by the tag that stands in for it (distribution-spec, "Referrers Tag Schema"). */
export async function referrersFetch(
  session: RegistrySession,
  asked: Asked & { readonly digest: Digest },
): Promise<readonly Descriptor[]> {
  const { repository, digest, signal } = asked;
  const found: Descriptor[] = [];
  let path: string | undefined = `/v2/${repository}/referrers/${digest}`;
  for (let page = 0; path !== undefined && page < limits.registryPagesMax; page += 1) {
    const request = { method: 'GET', path, scopes: pullOf(repository), signal } as const;
    const response: RegistryResponse | undefined = await session.find(request);
    if (response === undefined) return referrersByTag(session, asked);
    const bytes = await collect(bodyOf(session, response), limits.clientAnswerBytesMax);
    found.push(...indexed(bytes));
    path = nextPage(response);
  }
  return found;
}

async function referrersByTag(
  session: RegistrySession,
  { digest, ...asked }: Asked & { readonly digest: Digest },
): Promise<readonly Descriptor[]> {
  const index = await manifestFetch(session, { ...asked, reference: referrersTag(digest) });
  return index === undefined ? [] : indexed(index.bytes);
}

/** `sha256-…`, within the length of a tag. */
function referrersTag(digest: Digest): string {
  return digest.replace(':', '-').slice(0, limits.tagLengthMax);
}

function indexed(bytes: Uint8Array): readonly Descriptor[] {
  const index = parseManifest(bytes, mediaTypes.ociIndex);
  return index.kind === 'index' ? index.manifests : [];
}

interface List {
  readonly first: string;
  readonly key: string;
  readonly scopes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

async function* listed(
  session: RegistrySession,
  { first, key, scopes, signal }: List,
): AsyncGenerator<string> {
  let path: string | undefined = first;
  for (let page = 0; path !== undefined && page < limits.registryPagesMax; page += 1) {
    const response: RegistryResponse | undefined = await session.find({
      method: 'GET',
      path,
      scopes,
      signal,
    });
    if (response === undefined) return;
    const bytes = await collect(bodyOf(session, response), limits.clientAnswerBytesMax);
    const items = parseJsonField(bytes, 'list', 'unavailable').optionalOrNull(key);
    for (const item of items?.items(limits.importEntriesMax) ?? []) yield item.string();
    path = nextPage(response);
  }
}

/** RFC 8288, as registries use it: `<…>; rel="next"`. */
function nextPage({ headers: { link } }: RegistryResponse): string | undefined {
  const text = typeof link === 'string' ? link : (link ?? []).join(', ');
  return /<([^>]*)>\s*;[^,]*\brel="?next"?/.exec(text)?.[1];
}

function manifestRequest(
  method: 'GET' | 'HEAD',
  { repository, reference, signal }: Asked & { readonly reference: string },
) {
  const path = `/v2/${repository}/manifests/${reference}`;
  return { method, path, scopes: pullOf(repository), headers: { accept: acceptManifests }, signal };
}

function blobPath(repository: string, digest: Digest): string {
  return `/v2/${repository}/blobs/${digest}`;
}

function pullOf(repository: string): readonly string[] {
  return [`repository:${repository}:pull`];
}

function digestSaid({ headers }: RegistryResponse): Digest | undefined {
  const said = headers['docker-content-digest'];
  return typeof said === 'string' && isDigest(said) ? said : undefined;
}

function contentType({ headers }: RegistryResponse): string {
  return String(headers['content-type'] ?? '');
}

async function* without(source: ByteSource, bytes: number): AsyncGenerator<Uint8Array> {
  let left = bytes;
  for await (const chunk of source) {
    if (left < chunk.byteLength) yield chunk.subarray(left);
    left = Math.max(0, left - chunk.byteLength);
  }
}
