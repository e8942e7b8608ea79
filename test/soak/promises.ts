/**
 * What was acknowledged to whom: for each tag and each manifest of a repository a slot with what is known of it.
 *
 *   known ── somebody begins to change it ──► being changed ── one of them, alone, is answered ──► known
 *                                                           └─ two overlapped, or no answer came ──► unknown
 *
 * What a call did whose answer never came is unknown; and it may do it a little later than its caller is cut off, so its
 * write stays open for a while.
 */
import { afterDeathMs } from './settings.ts';

/** A digest (or `here`); null: taken away; undefined: not known. */
export type Value = string | null | undefined;

export interface Seen {
  readonly value: Value;
  readonly version: number;
  /** When it became so; milliseconds of this process. */
  readonly since: number;
}

export interface Write {
  /** Somebody else changed it at the same time. */
  readonly contested: () => boolean;
  /** `refused`: the answer said that nothing was done. `doubtful`: done, but not known with what outcome. */
  end(outcome: 'done' | 'refused' | 'lost' | 'doubtful'): void;
}

interface Slot {
  value: Value;
  version: number;
  since: number;
  readonly writers: Set<{ contested: boolean }>;
}

export class Promises {
  readonly #slots = new Map<string, Slot>();

  begin(key: string, value: Value): Write {
    const slot = this.#slot(key);
    const writer = { contested: slot.writers.size > 0 };
    for (const other of slot.writers) other.contested = true;
    slot.writers.add(writer);
    slot.version += 1;
    const close = (then: Value, since = performance.now()) => {
      slot.writers.delete(writer);
      slot.version += 1;
      slot.value = then;
      slot.since = since;
    };
    return {
      contested: () => writer.contested,
      end: (outcome) => {
        if (!slot.writers.has(writer)) return;
        // As it was, and since when it was.
        if (outcome === 'refused') close(slot.value, slot.since);
        else if (outcome === 'doubtful') close(undefined);
        else if (outcome === 'done') close(writer.contested ? undefined : value);
        else {
          slot.value = undefined;
          setTimeout(() => close(undefined), afterDeathMs).unref();
        }
      },
    };
  }

  /** `value` is undefined while somebody changes it. */
  seen(key: string): Seen {
    const slot = this.#slot(key);
    return {
      value: slot.writers.size > 0 ? undefined : slot.value,
      version: slot.version,
      since: slot.since,
    };
  }

  /** Whether it is, and has been since then, what was seen. */
  still(key: string, seen: Seen): boolean {
    return seen.value !== undefined && this.#slot(key).version === seen.version;
  }

  /** With what is known of each. */
  known(): { key: string; seen: Seen }[] {
    return [...this.#slots.keys()].map((key) => ({ key, seen: this.seen(key) }));
  }

  isBeingChanged(key: string): boolean {
    return this.#slot(key).writers.size > 0;
  }

  #slot(key: string): Slot {
    const known = this.#slots.get(key);
    if (known) return known;
    const slot: Slot = { value: null, version: 0, since: 0, writers: new Set() };
    this.#slots.set(key, slot);
    return slot;
  }
}

export const tagKey = (repository: string, tag: string) => `tag ${repository} ${tag}`;
export const manifestKey = (repository: string, digest: string) => `manifest ${repository} ${digest}`;
