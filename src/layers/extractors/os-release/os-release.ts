import { limits } from '../../../lib/limits.ts';
import type { Extractor } from '../../extractor.ts';
import { textOf } from '../../file-content.ts';
import type { OsRelease } from '../../inventory.ts';
import { linesOf } from '../text-lines.ts';

/**
 * Which distribution the layer is of (os-release(5)). `etc/os-release` is usually a link to `usr/lib/os-release`, so
 * links are not asked for.
 */
export const osRelease: Extractor = {
  name: 'os-release',
  version: 1,
  fileBytesMax: limits.metadataBytesMax,
  wants: ({ path, kind }) => kind !== 'link' && (path === 'etc/os-release' || path === 'usr/lib/os-release'),
  extract: (_entry, content) => {
    const os = parseOsRelease(textOf(content));
    return os === undefined ? { problem: 'it has no ID' } : { os };
  },
};

/** undefined when there is no `ID`. */
export function parseOsRelease(text: string): OsRelease | undefined {
  const values = new Map<string, string>();
  for (const line of linesOf(text)) {
    const equals = line.indexOf('=');
    if (equals > 0 && !line.startsWith('#'))
      values.set(line.slice(0, equals).trim(), unquoted(line.slice(equals + 1)));
  }
  const id = values.get('ID');
  if (!id) return undefined;
  const versionId = values.get('VERSION_ID');
  const codename = values.get('VERSION_CODENAME');
  const prettyName = values.get('PRETTY_NAME');
  return {
    id: id.toLowerCase(),
    ...(versionId ? { versionId } : {}),
    ...(codename ? { codename } : {}),
    ...(prettyName ? { prettyName } : {}),
  };
}

/** Shell quoting as far as the format allows it: one quoted or one bare word. */
function unquoted(raw: string): string {
  const value = raw.trim();
  const quote = value[0];
  if ((quote !== '"' && quote !== "'") || value.length < 2 || !value.endsWith(quote)) return value;
  const inner = value.slice(1, -1);
  return quote === '"' ? inner.replaceAll(/\\(["\\$`])/g, '$1') : inner;
}
