import { limits } from '../../../lib/limits.ts';
import { paragraphsOf } from '../text-lines.ts';

/** One package of apk's database (Alpine's wiki, "Apk spec", which the database's text shares with the index). */
export interface ApkPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  /** The package that this one was built from, as advisories name it. It has the same version. */
  readonly origin: string;
  readonly license: string | undefined;
}

export interface InstalledFile {
  readonly packages: readonly ApkPackage[];
  /** The first stanza that could not be read; the others were. */
  readonly problem?: string;
}

const wanted = new Set(['P', 'V', 'A', 'o', 'L']);

/** Every stanza; a package of the same name is there once. */
export function parseInstalledFile(text: string): InstalledFile {
  const packages = new Map<string, ApkPackage>();
  let problem: string | undefined;
  for (const { fields } of paragraphsOf(text, { start: stanza, line: field })) {
    if (packages.size >= limits.layerPackagesMax) {
      problem ??= `more than ${limits.layerPackagesMax} packages`;
      break;
    }
    const found = packageOf(fields);
    if (typeof found === 'string') problem ??= found;
    else packages.set(found.name, found);
  }
  return { packages: [...packages.values()], ...(problem === undefined ? {} : { problem }) };
}

interface Stanza {
  readonly fields: Map<string, string>;
  /** The package's own fields come before those of its folders and files. */
  inFiles: boolean;
}

function stanza(): Stanza {
  return { fields: new Map(), inFiles: false };
}

function field(of: Stanza, line: string): void {
  if (line.startsWith('F:')) of.inFiles = true;
  const key = line[1] === ':' ? line.slice(0, 1) : '';
  if (!of.inFiles && wanted.has(key)) of.fields.set(key, line.slice(2).trim());
}

/** A sentence for what apk would not have written. */
function packageOf(fields: ReadonlyMap<string, string>): ApkPackage | string {
  const name = fields.get('P');
  if (!name) return 'a stanza without a package name';
  const version = fields.get('V');
  if (!version) return `package ${name} has no version`;
  return {
    name,
    version,
    architecture: fields.get('A') ?? '',
    origin: fields.get('o') || name,
    license: fields.get('L') || undefined,
  };
}
