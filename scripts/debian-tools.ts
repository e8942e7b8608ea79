/**
 * Tools from Debian's packages (runc, umoci, skopeo) for tests and the demo, without installing anything.
 *
 * A tool of the machine is used if there is one. Else its package is downloaded by apt-get, unpacked under
 * `.tools/debian/TOOL` and started through a wrapper in `.tools/bin`, together with the shared libraries that ldd does
 * not find on the machine. None of this needs root: where the machine's package lists are missing or out of date,
 * apt-get keeps lists of its own under `.tools/apt`.
 *
 * A tool is unpacked in a folder of its own and moved to its place whole, so that an interrupted or a simultaneous run
 * leaves no half of one.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, chmod, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const toolsFolder = join(dirname(dirname(fileURLToPath(import.meta.url))), '.tools');
/** Folders of system tools, which are often not on the PATH of a user who isn't root. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];
const libraryRoundsMax = 6;
const commandMs = 120_000;
/** Programs whose package has another name. */
const packageOfProgram: Readonly<Record<string, string>> = { clamd: 'clamav-daemon' };

export interface DebianToolsOptions {
  /** Where to unpack; `.tools` of the repository unless told. */
  readonly folder?: string;
  /** Take the packages even where the machine has the tool. */
  readonly ignoreMachine?: boolean;
}

/**
 * Makes each tool, named like its package (or in `packageOfProgram`), runnable. Returns the absolute folder to put first on PATH.
 * @throws Error with one sentence that says what is missing and what to do.
 */
export async function debianTools(
  names: readonly string[],
  options: DebianToolsOptions = {},
): Promise<string> {
  const folder = options.folder ?? toolsFolder;
  const bin = join(folder, 'bin');
  if (process.platform !== 'linux') throw new Error(`${names.join(', ')}: these run on Linux only.`);
  await mkdir(bin, { recursive: true });
  for (const name of names) await provide(name, folder, options.ignoreMachine === true);
  return bin;
}

/**
 * Unpacks a package for the files in it, whatever the machine has, and returns the folder that stands for its `/`.
 * @throws Error with one sentence that says what is missing and what to do.
 */
export async function debianPackage(name: string, options: DebianToolsOptions = {}): Promise<string> {
  const folder = options.folder ?? toolsFolder;
  const root = join(folder, 'debian', name);
  if (
    !(await access(root).then(
      () => true,
      () => false,
    ))
  )
    await unpack(name, folder);
  return root;
}

async function provide(name: string, folder: string, ignoreMachine: boolean): Promise<void> {
  const wrapper = join(folder, 'bin', name);
  const onMachine = ignoreMachine ? undefined : await findOnMachine(name, dirname(wrapper));
  if (onMachine !== undefined) return writeExecutable(wrapper, `#!/bin/sh\nexec '${onMachine}' "$@"\n`);
  const root = join(folder, 'debian', name);
  if (!(await executableIn(root, name))) await unpack(name, folder);
  const program = await executableIn(root, name);
  if (program === undefined)
    throw new Error(`Debian's package ${name} has no program ${name}; install ${name} yourself.`);
  await writeExecutable(
    wrapper,
    wrapperText(name, program.slice(root.length + 1), await libraryFolders(root)),
  );
}

async function findOnMachine(name: string, except: string): Promise<string | undefined> {
  const path = (process.env.PATH ?? '').split(delimiter);
  for (const folder of [...path, ...systemFolders])
    if (folder !== '' && folder !== except && (await isExecutable(join(folder, name))))
      return join(folder, name);
  return undefined;
}

async function executableIn(root: string, name: string): Promise<string | undefined> {
  for (const folder of ['usr/sbin', 'sbin', 'usr/bin', 'bin'])
    if (await isExecutable(join(root, folder, name))) return join(root, folder, name);
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Paths are relative to the wrapper, so that the repository may be moved. skopeo refuses to work without a policy. */
function wrapperText(name: string, program: string, libraries: readonly string[]): string {
  const lines = ['#!/bin/sh', `root=$(cd "$(dirname "$0")/../debian/${name}" && pwd) || exit 1`];
  if (libraries.length > 0) {
    const folders = libraries.map((each) => `$root/${each}`).join(':');
    lines.push(
      `LD_LIBRARY_PATH="${folders}\${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"`,
      'export LD_LIBRARY_PATH',
    );
  }
  const policy = name === 'skopeo' ? ' --policy "$root/policy.json"' : '';
  lines.push(`exec "$root/${program}"${policy} "$@"`, '');
  return lines.join('\n');
}

async function unpack(name: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'debian'), { recursive: true });
  const work = await mkdtemp(join(folder, 'debian', `.${name}-`));
  try {
    await chmod(work, 0o755);
    await fetchPackages([packageOfProgram[name] ?? name], work, folder);
    await fetchLibraries(name, work, folder);
    if (name === 'skopeo')
      await writeFile(join(work, 'policy.json'), '{ "default": [{ "type": "insecureAcceptAnything" }] }\n');
    await rename(work, join(folder, 'debian', name)).catch((error) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another run was first
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Downloads what ldd misses, and what that misses in turn, until the program can be loaded. */
async function fetchLibraries(name: string, work: string, folder: string): Promise<void> {
  for (let round = 0; round < libraryRoundsMax; round += 1) {
    const missing = await missingLibraries(name, work);
    if (missing.length === 0) return;
    await fetchPackages(missing.map(packageOfLibrary), work, folder);
  }
  throw new Error(
    `${name} needs ${(await missingLibraries(name, work)).join(', ')}; install ${name} yourself.`,
  );
}

async function missingLibraries(name: string, work: string): Promise<string[]> {
  const program = await executableIn(work, name);
  if (program === undefined) return [];
  const libraries = (await libraryFolders(work)).map((each) => join(work, each)).join(':');
  const env = { ...process.env, LC_ALL: 'C', LD_LIBRARY_PATH: libraries };
  // ldd fails on a program that is linked statically, which misses nothing.
  const { stdout } = await run('ldd', [program], { env, timeout: commandMs }).catch(() => ({ stdout: '' }));
  return [...stdout.matchAll(/^\s*(\S+) => not found/gm)].map((match) => match[1] ?? '');
}

/** Debian names a library's package after its soname (Policy 8.1): `libgpgme.so.11` is in `libgpgme11`. */
export function packageOfLibrary(soname: string): string {
  const [name = '', version = ''] = soname.toLowerCase().replaceAll('_', '-').split('.so.');
  return `${name}${/\d$/.test(name) ? '-' : ''}${version}`;
}

async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  for (const parent of ['lib', 'usr/lib'])
    for (const entry of await readdir(join(root, parent), { withFileTypes: true }).catch(() => []))
      if (entry.isDirectory() && entry.name.endsWith('-linux-gnu')) folders.push(`${parent}/${entry.name}`);
  return folders;
}

async function fetchPackages(packages: readonly string[], work: string, folder: string): Promise<void> {
  const archives = join(work, '.archives');
  await mkdir(archives, { recursive: true });
  await download(packages, archives, folder);
  for (const archive of await readdir(archives))
    await run('dpkg', ['-x', join(archives, archive), work], { timeout: commandMs });
  await rm(archives, { recursive: true });
}

/** By the machine's package lists first: they are there on most machines, and an update takes seconds. */
async function download(packages: readonly string[], into: string, folder: string): Promise<void> {
  const get = (options: readonly string[]) =>
    run('apt-get', [...options, '-q', 'download', ...packages], { cwd: into, timeout: commandMs });
  // As root, apt-get would download as a user of its own, who may not be able to write here.
  const asUs = ['-o', 'APT::Sandbox::User=root'];
  try {
    await get(asUs).catch(async (error) => {
      if (error.code === 'ENOENT') throw error;
      const ownLists = [...asUs, ...(await ownListOptions(join(folder, 'apt')))];
      // Lists that cannot be fetched (a third party's, say) matter only if the download fails.
      await run('apt-get', [...ownLists, '-q', 'update'], { timeout: commandMs }).catch(() => undefined);
      await get(ownLists);
    });
  } catch (error) {
    throw new Error(failure(packages, error), { cause: error });
  }
}

async function ownListOptions(folder: string): Promise<string[]> {
  await mkdir(join(folder, 'state/lists/partial'), { recursive: true });
  await mkdir(join(folder, 'cache/archives/partial'), { recursive: true });
  const values = [
    `Dir::State=${folder}/state`,
    'Dir::State::status=/var/lib/dpkg/status',
    `Dir::Cache=${folder}/cache`,
  ];
  return values.flatMap((value) => ['-o', value]);
}

function failure(packages: readonly string[], error: unknown): string {
  const what = packages.join(', ');
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT')
    return `${what}: not on this machine, which has no apt-get to fetch it with; install it yourself.`;
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  const reason = /^E: (.*)$/m.exec(stderr)?.[1] ?? 'it gave no reason';
  return `${what}: not on this machine, and apt-get could not download it (${reason}); install it yourself.`;
}

async function writeExecutable(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, text, { mode: 0o755 });
  await rename(temporary, path);
}

if (import.meta.main) {
  try {
    console.log(await debianTools(process.argv.slice(2)));
  } catch (error) {
    console.error(`lazaret: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
