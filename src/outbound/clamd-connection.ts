import { connect, type Socket } from 'node:net';
import { limits } from '../lib/limits.ts';
import { collect } from '../lib/streams.ts';

/**
 * One session with clamd, as clamd(8) describes it: `IDSESSION`, then any number of `INSTREAM`, each a stream of chunks
 * with their lengths before them. clamd numbers them from 1, looks at several at once and answers in any order, so nobody
 * waits for an answer before the next file is sent. Commands and answers end with a zero.
 */
export interface ClamdEvents {
  /** `stream: OK` and the like; number 0: of the session itself. */
  answered(number: number, text: string): void;
  /** Once, the last: it is closed. `problem`: what went wrong with the connection. */
  ended(problem: string | undefined): void;
}

/** @param address the path of a socket, or `host:port` */
export function clamdAddress(address: string): { path: string } | { host: string; port: number } | undefined {
  if (address.startsWith('/')) return { path: address };
  const [, host, port] = /^(.+):(\d{1,5})$/.exec(address) ?? [];
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

const endOfStream = Buffer.alloc(4);

export class ClamdConnection {
  readonly #socket: Socket;
  readonly #events: ClamdEvents;
  #sent = 0;
  #text = '';
  #problem: string | undefined;
  #wake: (() => void) | undefined;

  constructor(address: string, events: ClamdEvents) {
    const to = clamdAddress(address);
    if (to === undefined) throw new TypeError(`'${address}' is no address of clamd`);
    this.#events = events;
    this.#socket = connect(to);
    this.#socket.setTimeout(limits.clamdSilenceMs, () => this.#silent());
    this.#socket.on('data', (bytes) => this.#received(bytes));
    this.#socket.on('drain', () => this.#wake?.());
    this.#socket.on('error', (error) => {
      this.#problem ??= error.message;
    });
    this.#socket.on('close', () => {
      this.#wake?.();
      events.ended(this.#problem);
    });
    this.#write(Buffer.from('zIDSESSION\0'));
  }

  /** @returns the number that the answer will have */
  begin(): number {
    this.#write(Buffer.from('zINSTREAM\0'));
    this.#sent += 1;
    return this.#sent;
  }

  /** A copy is sent. */
  data(bytes: Uint8Array): void {
    const chunk = Buffer.allocUnsafe(4 + bytes.length);
    chunk.writeUInt32BE(bytes.length);
    chunk.set(bytes, 4);
    this.#write(chunk);
  }

  finish(): void {
    this.#write(endOfStream);
  }

  /** When at most `limits.clamdAheadBytes` wait to be sent, or it is closed. */
  async ready(): Promise<void> {
    this.#socket.uncork();
    if (this.#socket.destroyed || this.#socket.writableLength <= limits.clamdAheadBytes) return;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
  }

  leave(): void {
    this.#socket.uncork();
    this.#socket.end('zEND\0');
  }

  destroy(problem?: string): void {
    this.#problem ??= problem;
    this.#socket.destroy();
  }

  /** Small pieces travel together: what is written goes out with `ready`. */
  #write(bytes: Buffer): void {
    if (this.#socket.destroyed) return;
    if (this.#socket.writableCorked === 0) this.#socket.cork();
    this.#socket.write(bytes);
  }

  #received(bytes: Buffer): void {
    this.#text += bytes.toString('latin1');
    const answers = this.#text.split('\0');
    this.#text = answers.pop() ?? '';
    if (this.#text.length > limits.clamdAnswerMax) this.destroy('an answer without an end');
    for (const answer of answers) {
      const [, number = '0', text = ''] = /^(?:(\d+): )?(.*)$/s.exec(answer) ?? [];
      this.#events.answered(Number(number), text);
    }
  }

  #silent(): void {
    this.destroy(`no answer for ${limits.clamdSilenceMs / 1_000} s`);
  }
}

/** By PING. Never rejects. */
export async function clamdAnswers(address: string): Promise<boolean> {
  const to = clamdAddress(address);
  if (to === undefined) return false;
  const socket = connect(to);
  socket.setTimeout(limits.clamdPingMs, () => socket.destroy());
  try {
    socket.write('zPING\0');
    return (await collect(socket, limits.clamdAnswerMax)).toString('latin1').startsWith('PONG');
  } catch {
    return false; // however it fails, it does not answer
  } finally {
    socket.destroy();
  }
}
