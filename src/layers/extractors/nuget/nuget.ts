import { PackageURL } from 'packageurl-js';
import { isRecord } from '../../../lib/fields.ts';
import type { Extracted, ExtractedPackage, Extractor } from '../../extractor.ts';
import { jsonOf } from '../json-object.ts';

const runtimePack = 'runtimepack.';

/**
 * The packages that a .NET application, or a shared framework, was built with and carries (dotnet/sdk,
 * "Runtime Configuration Files", `.deps.json`). Projects are the application itself, and no packages.
 */
export const nuget: Extractor = {
  name: 'nuget',
  version: 1,
  wants: ({ path, kind }) => kind !== 'link' && path.endsWith('.deps.json'),
  extract: (_entry, content) => parseDepsJson(jsonOf(content)),
};

/** Without `libraries` it is another program's file of such a name: WordPress has lists in some. */
function parseDepsJson(value: unknown): Extracted {
  const libraries = isRecord(value) ? value.libraries : undefined;
  if (!isRecord(libraries)) return {};
  const packages: ExtractedPackage[] = [];
  let problem: string | undefined;
  for (const [key, library] of Object.entries(libraries)) {
    const type = isRecord(library) ? library.type : undefined;
    if (type !== 'package' && type !== 'runtimepack') continue;
    const found = packageOf(key);
    if (found === undefined) problem ??= `'${key.slice(0, 100)}' is no name with a version`;
    else packages.push(found);
  }
  return { packages, ...(problem === undefined ? {} : { problem }) };
}

/** `NAME/VERSION`; a runtime that an application carries is a package whose name is written with a prefix. */
function packageOf(key: string): ExtractedPackage | undefined {
  const slash = key.indexOf('/');
  const version = key.slice(slash + 1);
  const named = key.slice(0, Math.max(slash, 0));
  const name = named.startsWith(runtimePack) ? named.slice(runtimePack.length) : named;
  if (name === '' || version === '') return undefined;
  return {
    purl: new PackageURL('nuget', null, name, version, null, null).toString(),
    ecosystem: 'NuGet',
    name,
    version,
  };
}
