/**
 * Answers that hold for as long as nothing happens. Each was made from rows that were read after the log's head was, and
 * is given again only to a request that has found the log still at that head: since every change of state appends to the
 * log in its own transaction, nothing has changed in between. With the first event all of them are forgotten. What ends
 * by the clock alone, whoever keeps it looks at when it is given.
 *
 *     request:  head ── known at this head? ── yes: the answer
 *                                           └─ no: read the rows ── keep the answer under the head that was read first
 *
 * A commit between the head and the rows makes the answer newer than the head says: the next request finds another head,
 * and makes it anew. Heads are read by `Database.logHead`, on the primary, in the request itself.
 */
export class AnswersAtHead<V> {
  readonly #answers = new Map<string, { readonly value: V; readonly sizeBytes: number }>();
  readonly #max: { readonly entries: number; readonly bytes: number };
  #head = -1;
  #bytes = 0;

  /** Beyond `max` those go first that nobody asked for for longest. */
  constructor(max: { readonly entries: number; readonly bytes?: number }) {
    this.#max = { bytes: Number.POSITIVE_INFINITY, ...max };
  }

  get(head: number, key: string): V | undefined {
    if (!this.#isAt(head)) return undefined;
    const answer = this.#answers.get(key);
    if (answer === undefined) return undefined;
    this.#answers.delete(key);
    this.#answers.set(key, answer);
    return answer.value;
  }

  /** @param head read before the rows that the answer was made from */
  keep(head: number, key: string, value: V, sizeBytes = 0): void {
    if (!this.#isAt(head) || sizeBytes > this.#max.bytes) return;
    this.#drop(key);
    this.#answers.set(key, { value, sizeBytes });
    this.#bytes += sizeBytes;
    for (const oldest of this.#answers.keys()) {
      if (this.#answers.size <= this.#max.entries && this.#bytes <= this.#max.bytes) break;
      this.#drop(oldest);
    }
  }

  /** A head that is behind the newest one seen was overtaken on its way. */
  #isAt(head: number): boolean {
    if (head > this.#head) {
      this.#answers.clear();
      this.#bytes = 0;
      this.#head = head;
    }
    return head === this.#head;
  }

  #drop(key: string): void {
    this.#bytes -= this.#answers.get(key)?.sizeBytes ?? 0;
    this.#answers.delete(key);
  }
}
