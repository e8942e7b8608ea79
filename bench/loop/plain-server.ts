/**
 * The least that could be called a store, to measure against: node:http, each body hashed with sha256 on its way into one
 * file, which is flushed before the answer; a GET sends the file. No names, no rights, no metadata. Forked with the file's
 * path; says its port to whoever forked it, and ends with it.
 */
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';

const [file = ''] = process.argv.slice(2);

const server = createServer((request, response) => {
  const answer = request.method === 'PUT' ? receive(request, response) : send(response);
  answer.catch(() => response.destroy());
});
server.listen(0, '127.0.0.1', () => process.send?.(server.address()));
process.once('disconnect', () => process.exit());

async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const hash = createHash('sha256');
  const hashed = new Transform({
    transform: (chunk, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(request, hashed, createWriteStream(file, { flush: true }));
  response.writeHead(201).end(hash.digest('hex'));
}

async function send(response: ServerResponse): Promise<void> {
  await pipeline(createReadStream(file), response);
}
