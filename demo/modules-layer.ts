import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildLayer, type Layer, type LayerEntry } from '../test/support/oci-layout.ts';
import { runProgram } from './run-program.ts';

export interface ModulesOptions {
  /** Whose lock file under `demo/lodash` says which lodash, with its hash. */
  readonly kind: 'vulnerable' | 'fixed';
  /** Where to install; npm's cache is in `.tools`, so that later runs download nothing. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

const locksFolder = fileURLToPath(new URL('./lodash', import.meta.url));
const npmCache = fileURLToPath(new URL('../.tools/npm', import.meta.url));

/** `app/node_modules` as npm installs it. @throws Error with npm's own words when it can't */
export async function buildModulesLayer({ kind, folder, signal }: ModulesOptions): Promise<Layer> {
  const target = join(folder, `npm-${kind}`);
  await mkdir(target, { recursive: true });
  for (const name of ['package.json', 'package-lock.json'])
    await copyFile(join(locksFolder, kind, name), join(target, name));
  await npmInstall(target, signal);
  const entries: LayerEntry[] = [];
  for await (const file of filesBelow(join(target, 'node_modules', 'lodash')))
    entries.push({
      path: `app/${relative(target, file).split(sep).join('/')}`,
      content: await readFile(file),
    });
  return buildLayer(entries);
}

/** By the lock file, which npm checks what it downloads against. */
async function npmInstall(folder: string, signal: AbortSignal): Promise<void> {
  const args = ['ci', '--prefix', folder, '--cache', npmCache, '--prefer-offline', '--ignore-scripts'];
  const quiet = ['--no-audit', '--no-fund', '--no-progress', '--no-update-notifier', '--loglevel=error'];
  // npm would leave compiled code in the machine's temporary folder.
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  const { exitCode, stderr } = await runProgram('npm', [...args, ...quiet], { cwd: folder, env, signal });
  if (exitCode !== 0) throw new Error(`npm could not install lodash: ${stderr.trim()}`);
}

/** In an order that is the same everywhere, so that the layer has the same digest in every run. */
async function* filesBelow(folder: string): AsyncGenerator<string> {
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* filesBelow(path);
    else if (entry.isFile()) yield path;
  }
}
