import { LazaretError } from '../../lib/errors.ts';
import { parseReference } from '../../oci/reference.ts';
import type { Caller } from '../../records/access/caller.ts';
import { permits } from '../../records/access/permits.ts';
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

/** @throws denied, in the same words whether or not the object exists */
export function assertMayQuarantine(caller: Caller, account: string | null): void {
  const mine = quarantineAccount(caller);
  if (mine !== null && mine !== account)
    throw new LazaretError('denied', 'it was not made for an account of yours');
}

/** What was asked, limited to what the caller may see. @throws nameInvalid, digestInvalid, invalid, manifestUnknown */
export async function scanScopeOf(
  database: Database,
  caller: Caller,
  asked: { readonly image?: string; readonly repositories?: string },
): Promise<ScanScope> {
  const accounts = accountsSeen(caller);
  const seen = accounts === undefined ? {} : { accounts };
  if (asked.image !== undefined) return { ...seen, image: await imageOf(database, asked.image) };
  if (asked.repositories !== undefined) return { ...seen, repositoryGlob: asked.repositories };
  return seen;
}

async function imageOf(database: Database, text: string): Promise<{ repository: string; digest: string }> {
  const { repository, tag, digest } = parseReference(text);
  if (digest !== undefined) return { repository: repository.name, digest };
  const found = await digestOfTag(database.read, repository.name, tag ?? 'latest');
  if (found === undefined)
    throw new LazaretError('manifestUnknown', `there is no image ${repository.name}:${tag ?? 'latest'}`);
  return { repository: repository.name, digest: found };
}
