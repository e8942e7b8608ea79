import type { ProjectFile } from './project-files.ts';

/** In pieces, so that this file is not a finding of its own. */
const hosts = [
  ['registry', 'npmjs', 'org'],
  ['registry', 'yarnpkg', 'com'],
  ['deb', 'debian', 'org'],
  ['security', 'debian', 'org'],
  ['snapshot', 'debian', 'org'],
].map((parts) => parts.join('.'));

/** Home and work folders of whoever wrote a line; a path inside an image (`usr/…`, `HOME=/root`) is none. */
const machinePath = /(?<![\w.\-/$})*])\/(?:work|root)\/[\w.]/;

/** Names of registries' hosts and paths of one machine, which work for nobody else. */
export function machineTraces(files: readonly ProjectFile[]): string[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const host = hosts.find((each) => line.includes(each));
      const found = host ?? machinePath.exec(line)?.[0];
      return found === undefined ? [] : [`${path}:${index + 1}: ${found}`];
    }),
  );
}

/** Lock files that say where a package was fetched from bind everybody to that place. */
export function resolvedAddresses(files: readonly ProjectFile[]): string[] {
  const locks = files.filter(({ path }) => path.endsWith('package-lock.json'));
  return locks
    .filter(({ text }) => text.includes('"resolved"'))
    .map(({ path }) => `${path}: has "resolved" addresses`);
}

/** Versions of dependencies that npm may read as more than one version. */
export function looseVersions(files: readonly ProjectFile[]): string[] {
  const manifests = files.filter(({ path }) => /^(tools\/\w+\/)?package\.json$/.test(path));
  return manifests.flatMap(({ path, text }) => {
    const { dependencies, devDependencies, optionalDependencies, overrides } = JSON.parse(text);
    const versions: Record<string, string> = {
      ...dependencies,
      ...devDependencies,
      ...optionalDependencies,
      ...overrides,
    };
    const loose = Object.entries(versions).filter(
      ([, version]) => !/^(npm:[\w@/.-]+@)?\d+\.\d+\.\d+(-[\w.]+)?$/.test(version),
    );
    return loose.map(([name, version]) => `${path}: ${name} is ${version}, not one version`);
  });
}
