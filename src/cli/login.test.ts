import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaretRead } from '../../test/support/command-line.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

it.each(['with a scheme', 'without one'])('logs in at the server that stands behind it, %s', async (how) => {
  const { host, origin } = new URL(server.url);
  const { credentials } = server.admin;
  const password = credentials?.kind === 'basic' ? credentials.password : '';
  const nowhere = { url: 'http://localhost:1' };
  const argv = ['login', how === 'with a scheme' ? origin : host, '-u', 'admin', '--password-stdin'];
  const { text } = await lazaretRead(nowhere, password, ...argv);
  expect(text).toContain(`Login Succeeded: admin at ${origin}`);
});
