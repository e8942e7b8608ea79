/**
 * How long this thread keeps its event loop from everybody else: the longest stretch of its own processor time between two
 * looks of a timer. What other processes take from it meanwhile is not counted, so a busy machine changes little.
 */
export class LoopWatch {
  #longestMs = 0;
  #last = process.threadCpuUsage();
  readonly #timer = setInterval(() => this.#look(), 1);

  #look(): void {
    const { user, system } = process.threadCpuUsage(this.#last);
    this.#last = process.threadCpuUsage();
    this.#longestMs = Math.max(this.#longestMs, (user + system) / 1_000);
  }

  /** @returns the longest, in milliseconds */
  end(): number {
    this.#look();
    clearInterval(this.#timer);
    return this.#longestMs;
  }
}
