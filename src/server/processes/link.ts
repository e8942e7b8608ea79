import { type ErrorCode, type ErrorDetail, LazaretError } from '../../lib/errors.ts';

/**
 * Two processes, parent and child, that ask each other things over the channel that Node opens between them. Every
 * message is a question that is answered, with a value or an error; when the channel closes, all that wait are told so.
 */
export interface Port {
  send(message: Message, callback: (error: Error | null) => void): unknown;
  on(event: 'message', listener: (message: unknown) => void): unknown;
  on(event: 'disconnect', listener: () => void): unknown;
  readonly connected: boolean;
}

/** What one side may be asked. */
export type Verbs = Record<string, (value: never) => Promise<unknown>>;

type Message =
  | { readonly kind: 'ask'; readonly id: number; readonly verb: string; readonly value: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failure'; readonly id: number; readonly failure: Failure };

interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
  readonly detail: ErrorDetail | undefined;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

export class Link<Theirs extends Verbs, Mine extends Verbs> {
  readonly #port: Port;
  readonly #answers: Verbs;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  /** @param answers what is answered to the other side */
  constructor(port: Port, answers: Mine) {
    this.#port = port;
    this.#answers = answers;
    port.on('message', (message) => this.#came(message as Message)); // both sides are of one version
    port.on('disconnect', () => this.#closed());
  }

  /** @throws what it threw there: code, message and detail; unavailable if the other process has ended */
  ask<V extends keyof Theirs & string>(
    verb: V,
    value: Parameters<Theirs[V]>[0],
  ): Promise<Awaited<ReturnType<Theirs[V]>>> {
    return new Promise((resolve, reject) => {
      const id = ++this.#lastId;
      this.#waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
      this.#send({ kind: 'ask', id, verb, value });
    });
  }

  #send(message: Message): void {
    if (!this.#port.connected) this.#closed();
    // A channel that breaks while this is sent closes, too, which is where it is heard of.
    else this.#port.send(message, () => undefined);
  }

  #came(message: Message): void {
    if (message.kind === 'ask') {
      void this.#answer(message.id, message.verb, message.value);
      return;
    }
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.kind === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(errorOf(message.failure));
  }

  async #answer(id: number, verb: string, value: unknown): Promise<void> {
    try {
      const answer = this.#answers[verb];
      if (!answer) throw new TypeError(`nobody answers ${verb} here`);
      this.#send({ kind: 'answer', id, value: await answer(value as never) });
    } catch (error) {
      this.#send({ kind: 'failure', id, failure: failureOf(error) });
    }
  }

  #closed(): void {
    for (const { reject } of this.#waiting.values())
      reject(new LazaretError('unavailable', 'another process of the server has ended'));
    this.#waiting.clear();
  }
}

function failureOf(error: unknown): Failure {
  if (error instanceof LazaretError)
    return { code: error.code, message: error.message, detail: error.detail };
  return {
    code: 'internal',
    message: error instanceof Error ? error.message : String(error),
    detail: undefined,
  };
}

function errorOf({ code, message, detail }: Failure): LazaretError {
  return new LazaretError(code, message, detail === undefined ? {} : { detail });
}
