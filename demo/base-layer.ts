import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { buildLayer, type Layer, type LayerEntry } from '../test/support/oci-layout.ts';

export interface BaseLayer {
  readonly layer: Layer;
  /** Names of the shared libraries. */
  readonly libraries: readonly string[];
}

/** The Node that runs this, and the shared libraries that ldd names for it, where its loader will look for them. */
export async function buildBaseLayer(): Promise<BaseLayer> {
  const libraries = await sharedLibraries(process.execPath);
  const entries: LayerEntry[] = [
    { path: 'etc/', folder: true },
    { path: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/false\napp:x:1000:1000:app:/:/bin/false\n' },
    { path: 'etc/group', content: 'root:x:0:\napp:x:1000:\n' },
    { path: 'tmp/', folder: true, mode: 0o1777 },
    { path: 'usr/local/bin/node', content: await readFile(process.execPath), mode: 0o755 },
  ];
  for (const path of libraries)
    entries.push({ path: path.slice(1), content: await readFile(path), mode: 0o755 });
  // Quick rather than small: it is made anew in every run.
  return {
    layer: await buildLayer(entries, { gzipLevel: 1 }),
    libraries: libraries.map((path) => basename(path)),
  };
}

/** `libm.so.6 => /lib/…/libm.so.6 (0x…)`, and the loader itself: `/lib64/ld-linux-x86-64.so.2 (0x…)`. */
async function sharedLibraries(program: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [program], { env: { ...process.env, LC_ALL: 'C' } });
  return [...stdout.matchAll(/^\s*(?:\S+ => )?(\/\S+) \(0x/gm)].map((match) => match[1] ?? '').sort();
}
