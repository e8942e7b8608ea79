/**
 * Malware by ClamAV's daemon, clamd, which may run on this machine or another. One connection for each layer; it is made
 * with the first file, and made anew when clamd has closed it while nothing was asked.
 *
 * What is not looked at is told, never taken for clean: a file that is larger than clamd takes, one that clamd looked at
 * only in part (`Heuristics.Limits.Exceeded`, with `AlertExceedsMax yes`), and all that came after clamd failed.
 */
import type { EntryHeader } from '../layers/extractor.ts';
import type { FoundMalware } from '../layers/inventory.ts';
import type { MalwareEngine, MalwareFile, MalwareResult, MalwareSession } from '../layers/malware.ts';
import { limits } from '../lib/limits.ts';
import { ClamdConnection, clamdAnswers } from './clamd-connection.ts';

export interface ClamdConfig {
  /** `/run/clamav/clamd.ctl`, `clamd.internal:3310` */
  readonly socket: string;
  /** clamd's `StreamMaxLength`: longer streams end the session. */
  readonly streamBytesMax: number;
}

export function clamdEngine(config: ClamdConfig): MalwareEngine {
  return { begin: () => new ClamdSession(config), answers: () => clamdAnswers(config.socket) };
}

class ClamdSession implements MalwareSession {
  readonly #config: ClamdConfig;
  readonly #found: FoundMalware[] = [];
  #connection: ClamdConnection | undefined;
  /** The files that were sent, by the number that the answer will have. */
  readonly #asked = new Map<number, Pick<EntryHeader, 'path' | 'sizeBytes'>>();
  #open: MalwareFile | undefined;
  /** The first problem's sentence is kept, the others are counted. */
  #problem: string | undefined;
  #problems = 0;
  #failed = false;
  #stopped = false;
  #answered: (() => void) | undefined;

  constructor(config: ClamdConfig) {
    this.#config = config;
  }

  open({ path, sizeBytes }: EntryHeader, sparse: boolean): MalwareFile | undefined {
    if (this.#stopped || sizeBytes === 0) return undefined;
    const { streamBytesMax } = this.#config;
    if (sparse) return this.#note(path, 'a sparse file, which is not looked at');
    if (sizeBytes > streamBytesMax)
      return this.#note(path, `${sizeBytes} bytes; clamd is given at most ${streamBytesMax}`);
    this.#connection ??= this.#connect();
    const connection = this.#connection;
    this.#asked.set(connection.begin(), { path, sizeBytes });
    this.#open = {
      push: (bytes) => {
        if (bytes.length > 0) connection.data(bytes);
      },
      end: () => {
        this.#open = undefined;
        connection.finish();
      },
    };
    return this.#open;
  }

  async ready(): Promise<void> {
    await this.#connection?.ready();
  }

  stop(reason: string): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#count(reason);
  }

  async end(): Promise<MalwareResult> {
    this.#stopped = true;
    // What was cut off is looked at as far as it came: the others are still to be answered.
    this.#open?.end();
    await this.ready();
    if (this.#asked.size > 0)
      await new Promise<void>((resolve) => {
        this.#answered = resolve;
      });
    this.#connection?.leave();
    const more = this.#problems > 1 ? ` (and ${this.#problems - 1} more)` : '';
    const problem = this.#problem === undefined ? undefined : `${this.#problem}${more}`;
    return { found: this.#found, problem, failed: this.#failed };
  }

  close(): void {
    this.#stopped = true;
    this.#connection?.destroy();
  }

  #connect(): ClamdConnection {
    return new ClamdConnection(this.#config.socket, {
      answered: (number, text) => this.#answer(number, text),
      ended: (problem) => this.#ended(problem),
    });
  }

  #answer(number: number, text: string): void {
    const file = this.#asked.get(number);
    // From here on it answers nothing that it was asked.
    if (file === undefined || text.startsWith('INSTREAM size limit exceeded')) {
      this.#connection?.destroy(`clamd says: ${text}`);
      return;
    }
    const { path } = file;
    const [, signature] = /^stream: (.*) FOUND$/s.exec(text) ?? [];
    if (signature?.startsWith('Heuristics.Limits.Exceeded'))
      this.#note(path, `clamd looked at a part of it only (${signature})`);
    else if (signature !== undefined) this.#keep({ path, signature });
    else if (text !== 'stream: OK') this.#note(path, `clamd says: ${text}`);
    this.#asked.delete(number);
    if (this.#asked.size === 0) this.#answered?.();
  }

  #keep(found: FoundMalware): void {
    if (this.#found.length < limits.layerMalwareMax) this.#found.push(found);
    else this.#note(found.path, `more than ${limits.layerMalwareMax} such files in this layer`);
  }

  #ended(problem = 'it ended the connection'): void {
    this.#connection = undefined;
    const unanswered = [...this.#asked.values()];
    this.#asked.clear();
    this.#open = undefined;
    if (unanswered.length > 0 && !this.#failed) {
      this.#failed = true;
      this.#stopped = true;
      const largest = Math.max(...unanswered.map(({ sizeBytes }) => sizeBytes));
      this.#count(`clamd at ${this.#config.socket}: ${problem}${hintOn(problem, largest)}`);
    }
    this.#answered?.();
  }

  #note(path: string, problem: string): undefined {
    this.#count(`${path}: ${problem}`);
  }

  #count(problem: string): void {
    this.#problems += 1;
    this.#problem ??= problem;
  }
}

/** What clamd says of a stream that is too long often comes too late: writing to it has failed before. */
function hintOn(problem: string, bytes: number): string {
  if (!/size limit|EPIPE|ECONNRESET/.test(problem)) return '';
  return `; if it takes no stream of ${bytes} bytes, inspection.clamav.streamMax is more than its StreamMaxLength`;
}
