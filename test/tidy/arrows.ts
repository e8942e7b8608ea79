/**
 * Who may import whom: bin → server → edges → actions → records, blobs, outbound, client → words. Agent and cli stand
 * beside the server and see only the client and words. Type imports obey too.
 */
import { chainsFrom, importGraph, importsOf } from './imports.ts';
import type { ProjectFile } from './project-files.ts';

const words = [
  'contract',
  'layers',
  'oci',
  'criteria',
  'licences',
  'secrets',
  'versions',
  'vex',
  'lib',
] as const;
const stores = ['records', 'blobs', 'outbound', 'client'] as const;

/** Each folder of src, and the others that it may import. Its own files it may import always, but see actions. */
export const layerArrows: Readonly<Record<string, readonly string[]>> = {
  bin: ['server', 'agent', 'cli', 'client', ...words],
  server: ['edges', 'actions', ...stores, ...words],
  edges: ['actions', ...stores, ...words],
  actions: [...stores, ...words],
  records: words,
  blobs: words,
  outbound: words,
  client: words,
  agent: ['client', ...words],
  cli: ['client', ...words],
  contract: ['oci', 'criteria', 'licences', 'secrets', 'versions', 'vex', 'lib'],
  criteria: ['oci', 'licences', 'secrets', 'versions', 'lib'],
  layers: ['oci', 'criteria', 'licences', 'secrets', 'versions', 'lib'],
  vex: ['oci', 'criteria', 'lib'],
  oci: ['lib'],
  licences: ['lib'],
  secrets: ['lib'],
  versions: ['lib'],
  lib: [],
};

/** One action may import another only here; all else meets through the log. */
export const actionArrows: Readonly<Record<string, readonly string[]>> = {
  quarantine: ['scan'],
  revoke: ['quarantine', 'launch'],
};

/** A sentence per import that breaks an arrow, with the chain by which the executable comes to it. */
export function brokenArrows(files: readonly ProjectFile[]): string[] {
  const chains = chainsFrom(importGraph(files, 'with workers'), ['src/bin/lazaret.ts']);
  return files.flatMap((file) =>
    importsOf(file).flatMap(({ target, line }) => {
      const complaint = target === undefined ? undefined : complain(file.path, target);
      if (complaint === undefined) return [];
      const chain = [...(chains.get(file.path) ?? [file.path]), target].join(' → ');
      return [`${file.path}:${line}: ${complaint}: ${chain}`];
    }),
  );
}

function complain(from: string, to: string): string | undefined {
  const [source, target] = [layerOf(from), layerOf(to)];
  if (source === undefined) return `${from} is in no layer`;
  if (target === undefined) return `${source} imports from outside src`;
  if (source !== target)
    return layerArrows[source]?.includes(target) === true ? undefined : `${source} may not import ${target}`;
  if (source !== 'actions') return undefined;
  const [action, other] = [actionOf(from), actionOf(to)];
  if (action === other || actionArrows[action]?.includes(other) === true) return undefined;
  return `action ${action} may not import action ${other}`;
}

function layerOf(path: string): string | undefined {
  const [root, layer = ''] = path.split('/');
  return root === 'src' && Object.hasOwn(layerArrows, layer) ? layer : undefined;
}

/** `src/actions/scan/plan.ts` and `src/actions/scan.ts` are of one action. */
function actionOf(path: string): string {
  return (path.split('/')[2] ?? '').replace(/\.ts$/, '');
}
