import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianPackage } from '../../scripts/debian-tools.ts';
import { buildLayer, type Layer, type LayerCompression } from './oci-layout.ts';

const applets = ['cat', 'echo', 'hostname', 'id', 'kill', 'mkdir', 'nc', 'sh', 'sleep', 'touch', 'true'];

/** A base layer with a shell: busybox, linked statically, from Debian's package, and links for a few of its programs. */
export async function busyboxLayer(compression: LayerCompression = 'gzip'): Promise<Layer> {
  const binary = await readFile(join(await debianPackage('busybox-static'), 'bin', 'busybox'));
  return buildLayer(
    [
      { path: 'bin/', folder: true },
      { path: 'bin/busybox', content: binary, mode: 0o755 },
      ...applets.map((name) => ({ path: `bin/${name}`, link: 'busybox' })),
      { path: 'etc/', folder: true },
      { path: 'etc/passwd', content: 'root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/:/bin/sh\n' },
      { path: 'etc/group', content: 'root:x:0:\napp:x:1000:\n' },
      { path: 'tmp/', folder: true, mode: 0o1777 },
    ],
    { compression },
  );
}
