import type { InventoryPart } from '../layers/inventory.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';

/** What may be held of all layers of an image together, which are looked at together when all have been read. */
export class HeldInventory {
  readonly #filesMax: number;
  #files = 0;

  constructor(filesMax: number = limits.inventoryFilesHeldMax) {
    this.#filesMax = filesMax;
  }

  /** The parts of one layer, without what is in archives, which nobody asks for here. @throws tooLarge */
  async *of(parts: AsyncIterable<InventoryPart>): AsyncGenerator<InventoryPart> {
    for await (const part of parts) {
      if (part.kind === 'archive') continue;
      if (part.kind === 'files' || part.kind === 'hiders') this.#hold(part.files.length);
      yield part;
    }
  }

  #hold(files: number): void {
    this.#files += files;
    if (this.#files <= this.#filesMax) return;
    const detail = { limit: 'inventoryFilesHeldMax', max: this.#filesMax };
    throw new LazaretError(
      'tooLarge',
      `its layers have more than ${this.#filesMax.toLocaleString('en')} files; push it to a server, which reads images of any size`,
      { detail },
    );
  }
}
