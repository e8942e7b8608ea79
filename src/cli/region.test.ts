import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';

let server: TestServer;
beforeAll(async () => {
  const peers = [{ name: 'away', url: 'http://away.invalid', secret: 'both-know-this-secret' }];
  server = await startTestServer({
    environment: { LAZARET_REGION: 'home', LAZARET_PEERS: JSON.stringify(peers) },
  });
});
afterAll(() => server.close());

it('region ls shows how far each region is followed, and exits 3 when one is out of reach', async () => {
  const { text, code } = await lazaret(server.admin, 'region', 'ls');
  expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['NAME', 'URL', 'ROLE', 'QUARANTINE LANE', 'CONTENT LANE', 'LAST HEARD'],
    ['home (here)', server.url, 'primary', '-', '-', '-'],
    ['away', 'http://away.invalid', 'secondary', '-', '-', 'never (out of reach)'],
  ]);
  expect(code).toBe(3);
});
