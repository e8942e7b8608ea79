import { heldBytes } from './held-text.ts';
import type { HardLink } from './inventory.ts';

/**
 * Hard links of one layer, with the path that has their content: an archive has that at the first of a file's paths only. A
 * link to what a later entry takes the place of keeps a content that no path of the layer has any more: it is left out, and
 * so is what would be too much to hold.
 */
export class HardLinks {
  readonly #bytesMax: number;
  #bytes = 0;
  /** What each link leads to. */
  readonly #targets = new Map<string, string>();
  readonly #links = new Map<string, Set<string>>();

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** To what was there before it, itself a link perhaps. */
  add(path: string, to: string): void {
    const target = this.#targets.get(to) ?? to;
    const bytes = heldBytes([path, target]);
    if (target === path || this.#bytes + bytes > this.#bytesMax) return;
    this.#bytes += bytes;
    this.#targets.set(path, target);
    const links = this.#links.get(target);
    if (links) links.add(path);
    else this.#links.set(target, new Set([path]));
  }

  /** Another entry has this path. */
  replaced(path: string): void {
    const target = this.#targets.get(path);
    if (target !== undefined) this.#forget(path, target);
    for (const link of this.#links.get(path) ?? []) this.#forget(link, path);
  }

  *[Symbol.iterator](): Generator<HardLink> {
    for (const [path, target] of this.#targets) yield { path, target };
  }

  #forget(path: string, target: string): void {
    this.#bytes -= heldBytes([path, target]);
    this.#targets.delete(path);
    const links = this.#links.get(target);
    links?.delete(path);
    if (links?.size === 0) this.#links.delete(target);
  }
}
