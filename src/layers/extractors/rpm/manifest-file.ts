import type { RpmHeader } from './rpm-header.ts';

/**
 * What Azure Linux leaves of the database in images without a package manager (`container-manifest-2`): a line for each
 * package, its tags separated by tabs: name, version-release, times of installing and building, vendor, epoch or
 * `(none)`, size, architecture, epoch or 0, source package.
 */
export function parseManifest(text: string): (RpmHeader | string)[] {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(packageOf);
}

/** @returns a sentence for a line that is none */
function packageOf(line: string): RpmHeader | string {
  const [name = '', evr = '', , , , , , architecture, epoch = '', sourceFile] = line.trim().split('\t');
  const dash = evr.lastIndexOf('-');
  if (name === '' || dash <= 0 || !/^\d{1,10}$/.test(epoch))
    return 'a line that names no package with a version';
  const version = { version: evr.slice(0, dash), release: evr.slice(dash + 1), epoch: Number(epoch) };
  return { name, ...version, architecture, sourceFile, license: undefined };
}
