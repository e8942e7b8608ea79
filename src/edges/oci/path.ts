/** What a path below /v2/ asks for (distribution-spec, "Endpoints"). Names have slashes, so it is read from its end. */
export type OciPath =
  | { readonly kind: 'base' }
  | { readonly kind: 'token' }
  | { readonly kind: 'catalog' }
  | { readonly kind: 'uploads'; readonly name: string }
  | { readonly kind: 'upload'; readonly name: string; readonly id: string }
  | { readonly kind: 'blob'; readonly name: string; readonly digest: string }
  | { readonly kind: 'manifest'; readonly name: string; readonly reference: string }
  | { readonly kind: 'tags'; readonly name: string }
  | { readonly kind: 'referrers'; readonly name: string; readonly digest: string };

/** @param path what follows `/v2`, decoded, without a query */
export function parseOciPath(path: string): OciPath | undefined {
  if (path === '' || path === '/') return { kind: 'base' };
  if (path === '/token') return { kind: 'token' };
  if (path === '/_catalog') return { kind: 'catalog' };
  const parts = path.split('/').slice(1);
  const last = parts.at(-1) ?? '';
  const uploadsAt = parts.length - (last === '' ? 3 : 2);
  if (parts[uploadsAt] === 'blobs' && parts[uploadsAt + 1] === 'uploads' && uploadsAt > 0)
    return { kind: 'uploads', name: nameOf(parts, uploadsAt) };
  if (last === '') return undefined;
  const uploadAt = parts.length - 3;
  if (uploadAt > 0 && parts[uploadAt] === 'blobs' && parts[uploadAt + 1] === 'uploads')
    return { kind: 'upload', name: nameOf(parts, uploadAt), id: last };
  const at = parts.length - 2;
  return at > 0 ? ofResource(parts[at] ?? '', nameOf(parts, at), last) : undefined;
}

function ofResource(resource: string, name: string, last: string): OciPath | undefined {
  if (resource === 'blobs') return { kind: 'blob', name, digest: last };
  if (resource === 'manifests') return { kind: 'manifest', name, reference: last };
  if (resource === 'referrers') return { kind: 'referrers', name, digest: last };
  return resource === 'tags' && last === 'list' ? { kind: 'tags', name } : undefined;
}

function nameOf(parts: readonly string[], end: number): string {
  return parts.slice(0, end).join('/');
}
