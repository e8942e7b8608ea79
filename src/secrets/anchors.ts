/**
 * Finds many short texts at once, without case, at about the speed of memory. Of each anchor the three characters are
 * taken that are the rarest; of any three characters in a row, one pair begins at every second byte. So every second
 * pair of bytes is looked up, none of the look-ups waits for another, and a pair of an anchor is rare. Case is folded
 * by one bit, which also takes some other characters for the same: what is found is a place to look at.
 */
const fold = 0x20;
const foldPair = (fold << 8) | fold;

const none: readonly Wanted[] = [];

interface Wanted {
  readonly anchor: number;
  readonly folded: Uint8Array;
  /** Of the pair in the text. */
  readonly pairAt: number;
  /** The third character, and where it is from the pair's second on. */
  readonly third: number;
  readonly before: boolean;
}

export class AnchorSearch {
  /** By two folded bytes: 0, or from 1 on which of `#wanted` have the pair. */
  readonly #table = new Uint8Array(0x1_00_00);
  readonly #wanted: Wanted[][] = [];

  /** @param anchors of three characters or more */
  constructor(anchors: readonly string[]) {
    for (const [anchor, text] of anchors.entries()) this.#add(anchor, text);
  }

  /** Calls `found` with an anchor's number and the offset of its start, for starts in [from, to). */
  search(
    bytes: Uint8Array,
    { from, to }: { from: number; to: number },
    found: (anchor: number, start: number) => void,
  ): void {
    const table = this.#table;
    const all = this.#wanted;
    const length = bytes.length;
    for (let at = from + 1; at < length; at += 2) {
      const pair = table[((bytes[at - 1] ?? 0) << 8) | (bytes[at] ?? 0) | foldPair];
      if (pair === 0 || pair === undefined) continue;
      const before = (bytes[at - 2] ?? 0) | fold;
      const behind = (bytes[at + 1] ?? 0) | fold;
      const candidates = all[pair - 1] ?? none;
      for (let index = 0; index < candidates.length; index++) {
        const wanted = candidates[index];
        if (wanted === undefined || (wanted.before ? before : behind) !== wanted.third) continue;
        const start = at - 1 - wanted.pairAt;
        if (start >= from && start < to && begins(bytes, start, wanted.folded)) found(wanted.anchor, start);
      }
    }
  }

  #add(anchor: number, text: string): void {
    const folded = Uint8Array.from(Buffer.from(text, 'latin1'), (byte) => byte | fold);
    const at = rarestThree(text);
    const [first, second, third] = folded.subarray(at, at + 3);
    if (first === undefined || second === undefined || third === undefined)
      throw new TypeError('an anchor has at least three characters');
    const wanted = { anchor, folded };
    this.#wantedAt((first << 8) | second).push({ ...wanted, pairAt: at, third, before: false });
    this.#wantedAt((second << 8) | third).push({ ...wanted, pairAt: at + 1, third: first, before: true });
  }

  #wantedAt(pair: number): Wanted[] {
    const known = this.#wanted[(this.#table[pair] ?? 0) - 1];
    if (known !== undefined) return known;
    const wanted: Wanted[] = [];
    const number = this.#wanted.push(wanted);
    if (number > 0xff) throw new TypeError('too many anchors for one search');
    this.#table[pair] = number;
    return wanted;
  }
}

function begins(bytes: Uint8Array, start: number, folded: Uint8Array): boolean {
  if (start + folded.length > bytes.length) return false;
  for (let at = 0; at < folded.length; at++)
    if (((bytes[start + at] ?? 0) | fold) !== folded[at]) return false;
  return true;
}

/** From the most frequent in English and in code to the rarer ones; what is not here is rarer. */
const frequent = 'etaoinsrhldcumfpgwyb_v-kx0="1';

/** Where the three characters begin whose more frequent pair is the rarest. */
function rarestThree(text: string): number {
  const rarity = [...text.toLowerCase()].map((one) => {
    const at = frequent.indexOf(one);
    return at === -1 ? frequent.length : at;
  });
  const ofPair = (at: number) => (rarity[at] ?? 0) + (rarity[at + 1] ?? 0);
  const score = (at: number) => Math.min(ofPair(at), ofPair(at + 1));
  let best = 0;
  for (let at = 1; at + 3 <= text.length; at++) if (score(at) > score(best)) best = at;
  return best;
}
