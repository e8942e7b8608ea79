import type { LayerEntry } from './layers.ts';

/**
 * Per extractor, by its name, a layer's files in which it finds something: whole ones first of all, then odd ones. The
 * contract of extractors is tested with them as they are and with their bytes changed.
 */
export const extractorSamples: Readonly<Record<string, () => readonly LayerEntry[]>> = {
  dpkg: () => [
    {
      name: 'var/lib/dpkg/status',
      text: 'Package: bash\nStatus: install ok installed\nArchitecture: amd64\nSource: bash (5.2)\nVersion: 5.2-1\n\nPackage: x\n',
    },
    { name: 'var/lib/dpkg/status.d/base', text: 'Package: base-files\nVersion: 12\nArchitecture: amd64\n' },
  ],
  npm: () => [
    { name: 'app/node_modules/a/package.json', text: '{"name":"a","version":"1.0.0","license":"MIT"}' },
    {
      name: 'app/node_modules/@s/b/package.json',
      text: '{"name":"@s/b","version":"2.0.0","licenses":[{"type":"ISC"}]}',
    },
  ],
  'os-release': () => [
    { name: 'etc/os-release', text: 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian 12"\n' },
  ],
};
