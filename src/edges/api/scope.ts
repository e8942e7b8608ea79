import { LazaretError } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Caller } from '../../records/access/caller.ts';
import { permits } from '../../records/access/permits.ts';
import { pullRight } from '../../records/access/pull-right.ts';
import { manifestInRepository } from '../../records/catalog/manifests.ts';
import type { Database } from '../../records/db/database.ts';
import { digestOfTag, type ScanScope } from '../../records/scans/images.ts';

/** The accounts whose images the caller may ask about; undefined: all. */
export function accountsSeen(caller: Caller): readonly string[] | undefined {
  const readable = caller.bindings.filter((binding) => binding.repositoryGlob === null);
  if (readable.some((binding) => binding.account === null)) return undefined;
  return readable.map((binding) => binding.account).filter((account) => account !== null);
}

/** Whose repositories a quarantine by this caller binds: an account's own, or (null) all. @throws denied */
export function quarantineAccount(caller: Caller): string | null {
  if (permits(caller, 'quarantine', { account: null, repository: null })) return null;
  const own = caller.bindings.find(
    (binding) =>
      binding.account !== null &&
      permits(caller, 'quarantine', { account: binding.account, repository: null }),
  );
  if (own?.account) return own.account;
  throw new LazaretError('denied', 'quarantine takes the role security or admin');
}

/**
 * Whether what was made for `account` is for the caller to decide about; who may quarantine nothing is told so first.
 * @throws denied
 */
export function mayDecide(caller: Caller, account: string | null): boolean {
  const mine = quarantineAccount(caller);
  return mine === null || mine === account;
}

/** What was asked, limited to what the caller may see. @throws nameInvalid, digestInvalid, invalid, manifestUnknown */
export async function scanScopeOf(
  database: Database,
  caller: Caller,
  asked: { readonly image?: string; readonly repositories?: string; readonly account?: string },
): Promise<ScanScope> {
  const own = accountsSeen(caller);
  const { account } = asked;
  const accounts = account === undefined ? own : [account].filter((one) => own?.includes(one) ?? true);
  const seen = accounts === undefined ? {} : { accounts };
  if (asked.image !== undefined) return { ...seen, image: await imageOf(database, caller, asked.image) };
  if (asked.repositories !== undefined) return { ...seen, repositoryGlob: asked.repositories };
  return seen;
}

/** An image that the caller may not see is one that there is not, and so is one that was deleted or withdrawn. */
async function imageOf(
  { read }: Database,
  caller: Caller,
  text: string,
): Promise<{ repository: string; digest: string }> {
  const { repository, tag, digest } = parseReference(text);
  const asked = { repository: repository.name, owner: repository.account };
  const seen = (await pullRight(read, caller, asked)).kind !== 'none';
  const found = seen ? await digestHere(read, { repository: repository.name, tag, digest }) : undefined;
  if (found === undefined) {
    const name = `${repository.name}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`;
    throw new LazaretError('manifestUnknown', `there is no image ${name}`);
  }
  return { repository: repository.name, digest: found };
}

async function digestHere(
  read: Database['read'],
  {
    repository,
    tag = 'latest',
    digest,
  }: { repository: string; tag: string | undefined; digest: Digest | undefined },
): Promise<string | undefined> {
  if (digest === undefined) return digestOfTag(read, repository, tag);
  const found = await manifestInRepository(read, { repository, reference: { digest } });
  return found?.deletedAt === null && found.withdrawnAt === null ? found.digest : undefined;
}
