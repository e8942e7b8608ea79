import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { mediaTypes } from '../../src/oci/media-types.ts';
import type { LoadTarget } from './load-jobs.ts';

const readBytes = 256 * 1024;
/** As clients ask for manifests: without their types docker-registry does not give OCI's. */
const accepted = [
  mediaTypes.ociManifest,
  mediaTypes.ociIndex,
  mediaTypes.dockerManifest,
  mediaTypes.dockerIndex,
  '*/*',
].join(', ');
const headEnd = '\r\n\r\n';

/**
 * One connection that gets one path again and again, the next when the answer is whole (HTTP/1.1, `Content-Length`). It
 * reads into one buffer and keeps nothing, so that it costs far less than what it measures: a client library would take
 * as much of this machine as the server.
 */
export class RawGetter {
  readonly #socket: Socket;
  readonly #request: Buffer;
  #head = '';
  #bodyBytes = 0;
  /** What of the body is to come; undefined while the head is. */
  #left: number | undefined;
  #answer = Promise.withResolvers<number>();

  private constructor({ url, authorization }: LoadTarget, path: string) {
    const { hostname, port, host } = new URL(url);
    const auth = authorization === '' ? '' : `Authorization: ${authorization}\r\n`;
    this.#request = Buffer.from(
      `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nAccept: ${accepted}\r\n${auth}\r\n`,
    );
    const onread = {
      buffer: Buffer.allocUnsafeSlow(readBytes),
      callback: (length: number, buffer: Uint8Array) => this.#read(buffer.subarray(0, length)),
    };
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
    this.#socket.on('error', (error) => this.#answer.reject(error));
    this.#socket.on('close', () => this.#answer.reject(new Error(`${url} closed a connection`)));
    this.#answer.promise.catch(() => {}); // whoever waits is told
  }

  static async open(target: LoadTarget, path: string): Promise<RawGetter> {
    const getter = new RawGetter(target, path);
    await once(getter.#socket, 'connect');
    return getter;
  }

  /** @returns how long the body was; @throws Error unless it was answered with 200 */
  get(): Promise<number> {
    this.#head = '';
    this.#left = undefined;
    this.#answer = Promise.withResolvers();
    this.#socket.write(this.#request);
    return this.#answer.promise;
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Uint8Array): boolean {
    if (this.#left === undefined) this.#readHead(chunk);
    else this.#left -= chunk.byteLength;
    if (this.#left === 0) this.#answer.resolve(this.#bodyBytes);
    return true;
  }

  #readHead(chunk: Uint8Array): void {
    const before = this.#head.length;
    this.#head += Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1');
    const end = this.#head.indexOf(headEnd);
    if (end < 0) return;
    const length = /^content-length: *(\d+)\r?$/im.exec(this.#head)?.[1];
    if (!this.#head.startsWith('HTTP/1.1 200 ') || length === undefined) {
      this.#answer.reject(new Error(`not the answer that was expected: ${this.#head.slice(0, end)}`));
      return;
    }
    this.#bodyBytes = Number(length);
    this.#left = this.#bodyBytes - (before + chunk.byteLength - end - headEnd.length);
  }
}
