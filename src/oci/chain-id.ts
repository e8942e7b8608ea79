import { digestOf } from './digest.ts';

/**
 * What layers are together, applied one upon the other from the base up (image-spec, config.md#layer-chainid): one id for
 * each number of them, the first, the base alone, being its diff id.
 */
export function chainIds(diffIds: readonly string[]): string[] {
  const ids: string[] = [];
  for (const diffId of diffIds) {
    const below = ids.at(-1);
    ids.push(below === undefined ? diffId : digestOf(`${below} ${diffId}`));
  }
  return ids;
}
