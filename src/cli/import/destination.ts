import { LazaretError } from '../../lib/errors.ts';
import { parseReference, parseRepositoryName } from '../../oci/reference.ts';

/** Where at the server what is found goes. */
export type Destination =
  | { readonly kind: 'asNamed' }
  /** `acme/`: each repository of the source below it, under its own name. */
  | { readonly kind: 'below'; readonly prefix: string }
  /** `acme/shop`, `acme/shop:1`: the one repository of the source; the one image of it. */
  | { readonly kind: 'repository'; readonly name: string; readonly tag: string | undefined };

/** @throws nameInvalid, invalid */
export function parseDestination(text: string | undefined): Destination {
  if (text === undefined) return { kind: 'asNamed' };
  if (text.endsWith('/')) return { kind: 'below', prefix: parseRepositoryName(text.slice(0, -1)).name };
  const { registry, repository, tag, digest } = parseReference(text);
  if (registry !== undefined)
    throw new LazaretError('invalid', `name the server with --server; DEST is ${repository.name}`);
  if (digest !== undefined)
    throw new LazaretError('invalid', 'DEST has no digest: that comes with the content');
  return { kind: 'repository', name: repository.name, tag };
}

/**
 * @param named what the source calls its repository
 * @param count of repositories that the source has
 * @throws invalid when it can't be told; nameInvalid for a name that this server can't have
 */
export function repositoryAt(destination: Destination, named: string | undefined, count: number): string {
  if (destination.kind === 'repository') {
    if (count === 1) return destination.name;
    throw new LazaretError(
      'invalid',
      `the source has ${count} repositories: end DEST with '/' to put them below it, or choose some with --repositories`,
    );
  }
  if (named === undefined)
    throw new LazaretError(
      'invalid',
      'the source does not name its repository: say as DEST where it goes, acme/shop',
    );
  return parseRepositoryName(destination.kind === 'below' ? `${destination.prefix}/${named}` : named).name;
}
