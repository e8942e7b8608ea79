import type { FastifyReply } from 'fastify';
import { catalogList, type Page, referrerList, tagList } from '../../actions/pull/lists.ts';
import { LazaretError } from '../../lib/errors.ts';
import { globMatcher } from '../../lib/globs.ts';
import { parseDigest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { grantList } from '../../records/access/grants.ts';
import { permits } from '../../records/access/permits.ts';
import { type OciCall, queryValue, sendJson } from './call.ts';
import { assertMay, setChallenge } from './rights.ts';

/** distribution-spec: end-8 (tags), end-12 (referrers), and the catalog that docker's registry has. */

export async function serveTags(call: OciCall, name: string): Promise<FastifyReply> {
  assertGet(call);
  const { repository } = await assertMay(call, name, 'pull');
  const page = await tagList(call.deps, { repository, ...pageAsked(call) });
  setNext(call, page);
  return sendJson(call.reply, { name, tags: page.items });
}

export async function serveReferrers(call: OciCall, name: string, digestText: string): Promise<FastifyReply> {
  assertGet(call);
  const { repository } = await assertMay(call, name, 'pull');
  const artifactType = queryValue(call.request, 'artifactType');
  const asked = { repository, digest: parseDigest(digestText), artifactType, ...pageAsked(call) };
  const page = await referrerList(call.deps, asked);
  setNext(call, page);
  if (artifactType !== undefined) call.reply.header('oci-filters-applied', 'artifactType');
  const manifests = page.items.map(({ digest, mediaType, sizeBytes, artifactType: type, annotations }) => ({
    mediaType,
    digest,
    size: sizeBytes,
    ...(type === null ? {} : { artifactType: type }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  }));
  const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
  return sendJson(call.reply, index, mediaTypes.ociIndex);
}

/** What the caller may pull: by a role, or by a grant to its account. */
export async function serveCatalog(call: OciCall): Promise<FastifyReply> {
  assertGet(call);
  const { caller, deps, reply, scopes } = call;
  const forThis =
    scopes === null || scopes.some(({ type, name }) => type === 'registry' && name === 'catalog');
  if (!forThis || (caller.kind === 'anonymous' && caller.bindings.length === 0)) {
    setChallenge(deps, call, 'registry:catalog:*');
    throw new LazaretError(
      'unauthorized',
      forThis ? 'log in first' : 'the token is not for this: the catalog',
    );
  }
  const granted = await grantsTo(call);
  const visible = (name: string) => {
    const { account } = parseRepositoryName(name);
    return permits(caller, 'pull', { repository: name, account }) || granted(account, name);
  };
  const page = await catalogList(deps, { visible, ...pageAsked(call) });
  setNext(call, page);
  return sendJson(reply, { repositories: page.items });
}

async function grantsTo({ caller, deps }: OciCall): Promise<(owner: string, repository: string) => boolean> {
  if (caller.account === null) return () => false;
  const grants = (await grantList(deps.database.read, caller.account))
    .filter((grant) => grant.grantee === caller.account && grant.revokedAt === null)
    .map((grant) => ({ owner: grant.owner, matches: globMatcher(grant.repositoryGlob) }));
  return (owner, repository) => grants.some((grant) => grant.owner === owner && grant.matches(repository));
}

function assertGet({ request }: OciCall): void {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    throw new LazaretError('unsupported', 'a list is only read');
}

function pageAsked({ request }: OciCall): { n?: number; last?: string } {
  const n = queryValue(request, 'n');
  const last = queryValue(request, 'last');
  if (n !== undefined && !/^\d{1,9}$/.test(n))
    throw new LazaretError('invalid', 'n must be an integer that is 0 or more', {
      detail: { path: 'query.n' },
    });
  return { ...(n === undefined ? {} : { n: Number(n) }), ...(last === undefined ? {} : { last }) };
}

/** RFC 5988: the same question, after the last of this page. */
function setNext({ request, reply }: OciCall, page: Page<unknown>): void {
  if (page.last === undefined) return;
  const url = new URL(request.url, 'http://any');
  url.searchParams.set('last', page.last);
  reply.header('link', `<${url.pathname}${url.search}>; rel="next"`);
}
