import { fixedTag } from '../../actions/quarantine/fixed-tag.ts';
import { LazaretError } from '../../lib/errors.ts';
import { parseRepositoryName, parseTagOrDigest } from '../../oci/reference.ts';
import type { OciCall } from './call.ts';
import type { OciPath } from './path.ts';
import { mayPull } from './rights.ts';

/**
 * What a caller is told of a quarantine. Whoever has a role in the account learns who set it, its ticket and, for an image,
 * what to use instead; a guest, pulling by a grant or without a name, learns its name and reason.
 */
export async function toldRefusal(
  call: OciCall,
  path: Extract<OciPath, { kind: 'blob' | 'manifest' }>,
  refusal: LazaretError,
): Promise<LazaretError> {
  const { quarantine, reason } = refusal.detail ?? {};
  if (typeof quarantine !== 'string') return refusal;
  const repository = parseRepositoryName(path.name);
  if (call.caller.kind === 'anonymous' || (await mayPull(call, repository)) !== 'owner')
    return new LazaretError('quarantined', `quarantined (${quarantine}): ${reason}`, {
      detail: { quarantine, reason },
      cause: refusal,
    });
  if (path.kind === 'blob' || call.request.method !== 'GET') return refusal;
  const reference = parseTagOrDigest(path.reference);
  const fixed = await fixedTag(call.deps, { repository, reference, quarantine });
  if (fixed === undefined) return refusal;
  return new LazaretError('quarantined', `${refusal.message}; fixed: ${fixed}`, {
    detail: { ...refusal.detail, fixed },
    cause: refusal,
  });
}
