import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { type Digest, isDigest, parseDigest } from './digest.ts';

/** A repository and the account that owns it: the first part of its name, or `default` for a name of one part. */
export interface RepositoryName {
  readonly name: string;
  readonly account: string;
}

/** `[registry/]repository[:tag][@digest]`; without a tag and a digest the caller says what is meant. */
export interface Reference {
  readonly registry?: string;
  readonly repository: RepositoryName;
  readonly tag?: string;
  readonly digest?: Digest;
}

export const defaultAccount = 'default';

const namePart = '[a-z0-9]+(?:(?:\\.|_|__|-+)[a-z0-9]+)*';
const namePattern = new RegExp(`^${namePart}(?:/${namePart})*$`);
const tagPattern = new RegExp(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,${limits.tagLengthMax - 1}}$`);
const registryPattern = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?|\[[0-9a-fA-F:.]+\])(?::\d{1,5})?$/;

/** distribution-spec, "Pulling manifests". @throws nameInvalid */
export function parseRepositoryName(text: string): RepositoryName {
  if (text.length > limits.repositoryNameLengthMax)
    throw new LazaretError(
      'nameInvalid',
      `a repository name of ${text.length} characters; at most ${limits.repositoryNameLengthMax} are allowed`,
    );
  if (!namePattern.test(text))
    throw new LazaretError('nameInvalid', `'${text}' is not a repository name: ${nameProblem(text)}`);
  const slash = text.indexOf('/');
  return { name: text, account: slash === -1 ? defaultAccount : text.slice(0, slash) };
}

/** distribution-spec, "Pulling manifests". @throws nameInvalid */
export function parseTag(text: string): string {
  if (tagPattern.test(text)) return text;
  throw new LazaretError(
    'nameInvalid',
    `'${text.slice(0, 160)}' is not a tag: up to ${limits.tagLengthMax} letters, digits, '_', '.' and '-', not beginning with '.' or '-'`,
  );
}

/** What the path of a manifest request ends with. @throws nameInvalid, digestInvalid */
export function parseTagOrDigest(text: string): { readonly tag: string } | { readonly digest: Digest } {
  if (isDigest(text)) return { digest: text };
  return text.includes(':') ? { digest: parseDigest(text) } : { tag: parseTag(text) };
}

/**
 * A first part with a dot or a port, or `localhost`, is a registry, as docker reads it.
 * @throws nameInvalid, digestInvalid
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@');
  const digest = at === -1 ? undefined : parseDigest(text.slice(at + 1));
  const named = at === -1 ? text : text.slice(0, at);
  const colon = named.indexOf(':', named.lastIndexOf('/') + 1);
  const tag = colon === -1 ? undefined : parseTag(named.slice(colon + 1));
  const { registry, path } = splitRegistry(colon === -1 ? named : named.slice(0, colon));
  return {
    ...(registry === undefined ? {} : { registry }),
    repository: parseRepositoryName(path),
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}

export function formatReference(reference: Reference): string {
  const registry = reference.registry === undefined ? '' : `${reference.registry}/`;
  const tag = reference.tag === undefined ? '' : `:${reference.tag}`;
  const digest = reference.digest === undefined ? '' : `@${reference.digest}`;
  return `${registry}${reference.repository.name}${tag}${digest}`;
}

function splitRegistry(text: string): { registry?: string; path: string } {
  const slash = text.indexOf('/');
  const first = text.slice(0, slash);
  if (slash === -1 || !(first === 'localhost' || /[.:]/.test(first))) return { path: text };
  if (registryPattern.test(first)) return { registry: first, path: text.slice(slash + 1) };
  throw new LazaretError('nameInvalid', `'${first.slice(0, 160)}' is not the name of a registry`);
}

function nameProblem(text: string): string {
  if (text === '') return 'it is empty';
  if (/[A-Z]/.test(text)) return 'only lower-case letters are allowed';
  if (text.startsWith('/') || text.endsWith('/') || text.includes('//'))
    return "a part between the '/' is empty";
  return "parts of a-z and 0-9, joined by single '.', '_', '__' or '-', separated by '/'";
}
