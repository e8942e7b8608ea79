import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it.each([
  ['no HTTP', 'hello\r\n\r\n', '400 Bad Request'],
  ['a header without a colon', 'GET /v2/ HTTP/1.1\r\nhost\r\n\r\n', '400 Bad Request'],
  [
    'two lengths',
    'PUT /v2/ HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n',
    '400 Bad Request',
  ],
  [
    'length and chunks',
    'POST /v2/ HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    '400 Bad Request',
  ],
  [
    'a chunk without a length',
    'POST /v2/a/blobs/uploads/ HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    '400 Bad Request',
  ],
  [
    'headers without end',
    `GET /v2/ HTTP/1.1\r\nhost: a\r\nx: ${'a'.repeat(100_000)}`,
    '431 Request Header Fields Too Large',
  ],
])('what is %s is told so in the errors of the distribution API', async (_case, sent, status) => {
  const { hostname, port } = new URL(server.url);
  const socket = connect(Number(port), hostname);
  socket.write(sent);
  const answer = await text(socket);
  const last = answer.slice(answer.lastIndexOf('HTTP/1.1 '));
  expect(last.split('\r\n')[0]).toBe(`HTTP/1.1 ${status}`);
  expect(JSON.parse(last.slice(last.indexOf('\r\n\r\n')))).toEqual({
    errors: [{ code: 'UNSUPPORTED', message: expect.stringContaining('well-formed') }],
  });
});
