import { limits } from '../../../lib/limits.ts';
import { paragraphsOf } from '../text-lines.ts';

/** One package of a dpkg database (deb-control(5), dpkg(1) "Package states"). */
export interface DpkgPackage {
  readonly name: string;
  readonly version: string;
  readonly architecture: string;
  readonly sourceName: string;
  readonly sourceVersion: string;
  readonly multiArchSame: boolean;
  /** The third word of `Status`: `installed`, `config-files`, `half-configured` …; undefined where there is no `Status`. */
  readonly state: string | undefined;
}

export interface StatusFile {
  readonly packages: readonly DpkgPackage[];
  /** The first stanza that could not be read; the others were. */
  readonly problem?: string;
}

const wanted = new Set(['package', 'version', 'architecture', 'source', 'multi-arch', 'status']);

/** Every stanza that names a package and has a version, in whatever state. */
export function parseStatusFile(text: string): StatusFile {
  const packages = new Map<string, DpkgPackage>();
  let problem: string | undefined;
  for (const fields of paragraphsOf(text, { start: () => new Map<string, string>(), line: field })) {
    if (packages.size >= limits.layerPackagesMax) {
      problem ??= `more than ${limits.layerPackagesMax} packages`;
      break;
    }
    const found = packageOf(fields);
    if (typeof found === 'string') problem ??= found;
    else if (found !== undefined) packages.set(`${found.name}:${found.architecture}`, found);
  }
  return { packages: [...packages.values()], ...(problem === undefined ? {} : { problem }) };
}

function field(fields: Map<string, string>, line: string): void {
  // A line that begins with a blank continues the field before it; none of ours has more than one line.
  const colon = line.indexOf(':');
  if (colon <= 0 || line[0] === ' ' || line[0] === '\t') return;
  const name = line.slice(0, colon).toLowerCase();
  if (wanted.has(name)) fields.set(name, line.slice(colon + 1).trim());
}

/** undefined for what dpkg only remembers the name of, a sentence for what it would not have written. */
function packageOf(fields: ReadonlyMap<string, string>): DpkgPackage | string | undefined {
  const name = fields.get('package');
  if (!name) return 'a stanza without a package name';
  const state = fields.get('status')?.split(/\s+/)[2];
  const version = fields.get('version');
  if (!version) return state === 'not-installed' ? undefined : `package ${name} has no version`;
  return {
    name,
    version,
    architecture: fields.get('architecture') ?? '',
    ...sourceOf(fields.get('source'), name, version),
    multiArchSame: fields.get('multi-arch') === 'same',
    state,
  };
}

/** `Source: NAME` or `Source: NAME (VERSION)`; without it, or without its version, they are the package's own. */
function sourceOf(source: string | undefined, name: string, version: string) {
  const match = /^(\S+)(?:\s+\(([^)]+)\))?$/.exec(source ?? '');
  return { sourceName: match?.[1] ?? name, sourceVersion: match?.[2]?.trim() ?? version };
}
