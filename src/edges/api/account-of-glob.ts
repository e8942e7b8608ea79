import { defaultAccount } from '../../oci/reference.ts';

/** The one account whose repositories the glob is over, as its first part says; undefined: it may be over several. */
export function accountOfGlob(repositoryGlob: string): string | undefined {
  const slash = repositoryGlob.indexOf('/');
  const first = slash === -1 ? repositoryGlob : repositoryGlob.slice(0, slash);
  if (/[*?[\]{}!\\]/.test(first)) return undefined;
  return slash === -1 ? defaultAccount : first;
}
