import { fixedTag } from '../../actions/quarantine/fixed-tag.ts';
import { LazaretError } from '../../lib/errors.ts';
import { parseRepositoryName, parseTagOrDigest } from '../../oci/reference.ts';
import { manifestInRepository } from '../../records/catalog/manifests.ts';
import { type OciCall, queryValue } from './call.ts';
import type { OciPath } from './path.ts';
import { mayPull } from './rights.ts';

/** What a quarantine may refuse: pulls, mounts, uploads, pushes of manifests. */
export type Refusable = Extract<OciPath, { kind: 'blob' | 'manifest' | 'uploads' | 'upload' }>;

/**
 * What a caller is told of a quarantine. Whoever has a role in the account learns who set it, its ticket and, for an image,
 * what to use instead; a guest, pulling by a grant or without a name, learns its name and reason.
 */
export async function toldRefusal(
  call: OciCall,
  path: Refusable,
  refusal: LazaretError,
): Promise<LazaretError> {
  const { quarantine, reason } = refusal.detail ?? {};
  if (typeof quarantine !== 'string') return refusal;
  const repository = parseRepositoryName(path.name);
  // Of a mount, the quarantine may be one of the account that it is mounted from.
  const from = path.kind === 'uploads' ? (queryValue(call.request, 'from') ?? path.name) : path.name;
  if (!(await isAtHome(call, path.name)) || !(await isAtHome(call, from)))
    return new LazaretError('quarantined', `quarantined (${quarantine}): ${reason}`, {
      detail: { quarantine, reason },
      cause: refusal,
    });
  if (path.kind !== 'manifest' || call.request.method !== 'GET') return refusal;
  const reference = parseTagOrDigest(path.reference);
  const fixed = await fixedTag(call.deps, { repository, reference, quarantine });
  if (fixed === undefined) return refusal;
  return new LazaretError('quarantined', `${refusal.message}; fixed: ${fixed}`, {
    detail: { ...refusal.detail, fixed },
    cause: refusal,
  });
}

async function isAtHome(call: OciCall, name: string): Promise<boolean> {
  return call.caller.kind !== 'anonymous' && (await mayPull(call, parseRepositoryName(name))) === 'owner';
}

/** What the ledger has a refusal under: the digest of what is here, or was pushed; of a new manifest by tag, the tag. */
export async function refusedDigest(call: OciCall, path: Refusable): Promise<string | undefined> {
  const asked = askedFor(call, path);
  if (path.kind !== 'manifest' || call.request.method === 'PUT') return asked;
  const name = { repository: path.name, reference: parseTagOrDigest(path.reference) };
  return (await manifestInRepository(call.deps.database.read, name))?.digest ?? asked;
}

/** As the request has it: a digest or a tag; undefined: neither yet. */
export function askedFor({ request }: OciCall, path: Refusable): string | undefined {
  if (path.kind === 'blob') return path.digest;
  if (path.kind === 'manifest') return path.reference;
  return queryValue(request, 'mount') ?? queryValue(request, 'digest');
}
