/**
 * What the tools that know a format list in an image's root. One line per package: `TYPE NAME VERSION`, then what tells it
 * from another of that name: its place; of distributions' packages the architecture, and the source that they are of. Tools of the image itself run in it by chroot.
 */
import { access, readFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { run } from './build.ts';
import type { ListedPackage } from './real-image.ts';

const outputBytesMax = 256 * 1024 * 1024;

/** Of every format, but for jars, of which no tool makes a list. */
export async function installed(root: string): Promise<string[]> {
  const lists = [dpkgPackages, rpmPackages, npmPackages, pythonPackages, gems, goModules, programs];
  const found: string[] = [];
  for (const list of lists) found.push(...(await list(root)));
  return found;
}

/** The same lines, of what was found in the image. */
export function listed(packages: readonly ListedPackage[]): string[] {
  return packages.map((found) => {
    const type = found.purl.slice('pkg:'.length, found.purl.indexOf('/'));
    return [type, found.name, found.version, placeOf(type, found)].filter((part) => part !== '').join(' ');
  });
}

function placeOf(type: string, { purl, path, sourceName, sourceVersion }: ListedPackage): string {
  if (type === 'deb' || type === 'rpm') {
    const architecture = new URLSearchParams(purl.split('?')[1]).get('arch');
    return `${architecture} of ${sourceName} ${sourceVersion}`;
  }
  if (type === 'gem') return ''; // `gem list` does not say
  return path.replace(/\/(?:package\.json|METADATA|PKG-INFO)$/, '');
}

async function dpkgPackages(root: string): Promise<string[]> {
  const database = join(root, 'var/lib/dpkg');
  if (!(await isThere(database))) return [];
  const fields = [
    'db:Status-Status',
    'Package',
    'Version',
    'Architecture',
    'source:Package',
    'source:Version',
  ];
  const [state, name, version, architecture, ...source] = fields.map((field) => `\${${field}}`);
  const format = [state, name, version, architecture, 'of', ...source].join(' ');
  const stdout = await output('dpkg-query', ['-W', `--admindir=${database}`, `-f=${format}\\n`]);
  return lines(stdout)
    .map((line) => /^(\S+) (.*)$/.exec(line) ?? [])
    .filter(([, state]) => state !== 'config-files')
    .map(([, , found]) => `deb ${found}`);
}

async function rpmPackages(root: string): Promise<string[]> {
  if (!(await isThere(join(root, 'var/lib/rpm')))) return [];
  const epoch = '%|EPOCH?{%{EPOCH}:}|';
  const format = `rpm %{NAME} ${epoch}%{VERSION}-%{RELEASE} %{ARCH} of ${epoch} %{SOURCERPM}\\n`;
  const found = await output('rpm', ['--root', root, '--dbpath', '/var/lib/rpm', '-qa', '--qf', format]);
  // `openssl-3.0.1-23.el9_0.src.rpm`, after the epoch or nothing.
  return lines(found).map((line) => line.replace(/(\S*) (\S+)-([^-]+-[^-]+)\.src\.rpm$/, '$2 $1$3'));
}

interface NpmNode {
  readonly name?: string;
  readonly version?: string;
  readonly path?: string;
  readonly dependencies?: Readonly<Record<string, NpmNode>>;
}

async function npmPackages(root: string): Promise<string[]> {
  const folders = lines(
    await output('find', [root, '-xdev', '-type', 'd', '-name', 'node_modules', '-prune']),
  );
  const found = new Set<string>();
  const walk = ({ name, version, path, dependencies = {} }: NpmNode, isProject = false) => {
    // What is missing has no path.
    if (!isProject && path !== undefined) found.add(`npm ${name} ${version} ${relative(root, path)}`);
    for (const dependency of Object.values(dependencies)) walk(dependency);
  };
  for (const folder of folders) {
    const tree = await output('npm', ['ls', '--all', '--json', '--long'], { cwd: dirname(folder) });
    walk(JSON.parse(tree), true);
  }
  return [...found];
}

/** In every folder that has metadata; names as PEP 503 normalises them. */
const pythonScript = `
import importlib.metadata, os, re
for folder, folders, files in os.walk('/'):
    if any(re.search(r'[.](dist|egg)-info$', name) for name in folders + files):
        for found in importlib.metadata.distributions(path=[folder]):
            name = re.sub(r'[-_.]+', '-', found.metadata['Name']).lower()
            print('pypi', name, found.version, str(found._path)[1:])
`;

async function pythonPackages(root: string): Promise<string[]> {
  if (!(await isThere(join(root, 'usr/bin/python3')))) return [];
  return lines(await output('chroot', [root, 'python3', '-I', '-B', '-c', pythonScript]));
}

async function gems(root: string): Promise<string[]> {
  if (!(await isThere(join(root, 'usr/bin/gem')))) return [];
  return lines(await output('chroot', [root, 'gem', 'list', '--local', '--quiet'])).flatMap((line) => {
    const [, name, versions = ''] = /^(\S+) \((.*)\)$/.exec(line) ?? [];
    // `rake (default: 13.0.6)`; after a version may come its platforms.
    return versions.split(', ').map((each) => `gem ${name} ${each.replace('default: ', '').split(' ')[0]}`);
  });
}

/** What the linker wrote into programs, found by text alone. Before Go 1.18 the version of Go was elsewhere. */
async function goModules(root: string): Promise<string[]> {
  const holding = ['--recursive', '--text', '--files-with-matches', '--fixed-strings', 'Go buildinf:', root];
  const found = new Set<string>();
  for (const program of lines(await output('grep', holding))) {
    const text = await readFile(program, 'latin1');
    const path = relative(root, program);
    const [, go] = /Go buildinf:[\s\S]{19}go(\d+\.\d+(?:\.\d+)?)/.exec(text) ?? [];
    if (go !== undefined) found.add(`golang stdlib ${/^\d+\.\d+$/.test(go) ? `${go}.0` : go} ${path}`);
    for (const [, name, version] of text.matchAll(/^(?:mod|dep)\t([\w./~-]+)\t([\w.()+-]+)/gm))
      found.add(`golang ${name} ${version} ${path}`);
  }
  return [...found];
}

async function programs(root: string): Promise<string[]> {
  if (!(await isThere(join(root, 'usr/bin/node')))) return [];
  const version = (await output('chroot', [root, 'node', '--version'])).trim().slice('v'.length);
  const [library = ''] = lines(await output('find', [root, '-xdev', '-name', 'libnode.so.*']));
  return [`generic node ${version} ${relative(root, library)}`];
}

/** npm and grep end with 1 when something is amiss, or nothing was found; what they printed counts all the same. */
export async function output(
  program: string,
  argv: readonly string[],
  options: { cwd?: string } = {},
): Promise<string> {
  const more = { ...options, maxBuffer: outputBytesMax, env: { ...process.env, LC_ALL: 'C.UTF-8' } };
  try {
    return (await run(program, argv, more)).stdout;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 1 && 'stdout' in error)
      return String(error.stdout);
    throw error;
  }
}

export function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

export function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
