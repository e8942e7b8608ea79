import { parseOciPath } from './path.ts';

/** What is answered from rows and bytes alone, unless it turns out that something is to be written. */
export function onlyReads(method: string, url: string): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || !url.startsWith('/v2/')) return false;
  switch (kindOf(url)) {
    case 'base':
    case 'catalog':
    case 'blob':
    case 'manifest':
    case 'tags':
    case 'referrers':
      return true;
    default:
      return false;
  }
}

function kindOf(url: string): string | undefined {
  try {
    return parseOciPath(decodeURIComponent(url.slice('/v2'.length).split('?', 1)[0] ?? ''))?.kind;
  } catch {
    return undefined; // not UTF-8; whoever answers says so
  }
}
