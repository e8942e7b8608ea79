import { expect, test } from 'vitest';
import { startTestServer } from '../../../test/support/server.ts';
import { call } from '../../client/client.ts';
import { advisoryImport } from '../../contract/advisories.ts';

test('advisories are imported in the primary region only', async () => {
  const peers = [{ name: 'home', url: 'http://127.0.0.1:1', secret: 'shared by both of them' }];
  const environment = {
    LAZARET_REGION: 'away',
    LAZARET_PRIMARY: 'home',
    LAZARET_PEERS: JSON.stringify(peers),
  };
  const server = await startTestServer({ environment });
  const operator = await server.user('op', null, [{ role: 'admin', account: null, repositoryGlob: null }]);
  const importing = call(operator, advisoryImport, { query: { source: 'a' } });
  await expect(importing).rejects.toMatchObject({ code: 'readOnlyReplica', detail: { region: 'home' } });
  await server.close();
});
