import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { storeWith } from '../../test/support/faulty-store.ts';
import { errorCode, http } from '../../test/support/http.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';
import { openMemoryStore } from '../blobs/memory.ts';
import { call } from '../client/client.ts';
import { accountCreate, accountList, whoami } from '../contract/access.ts';
import { principalCreate, principalDisable } from '../contract/principals.ts';
import { routes } from '../contract/routes.ts';
import { openApiShow, versionShow } from '../contract/system.ts';
import { apiRoutes } from '../edges/api/routes.ts';
import { ManualClock } from '../lib/clock.ts';
import { limits } from '../lib/limits.ts';
import { startServer } from './server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(() => server.close());

describe('a server', () => {
  it('is live and ready, and shows metrics, for whoever asks', async () => {
    const anyone = { url: server.url };
    expect((await http(anyone, 'GET /livez')).status).toBe(200);
    expect(await (await http(anyone, 'GET /readyz')).json()).toEqual({ status: 'ready' });
    const metrics = await (await http(anyone, 'GET /metrics')).text();
    expect(metrics).toMatch(/^lazaret_log_head [1-9]/m);
    expect(metrics).toContain(
      'lazaret_http_request_duration_seconds_count{method="GET",route="/livez",code="200"} 1',
    );
  });

  it('is not ready while a store does not answer, and says so in time', async () => {
    const clock = new ManualClock();
    const store = await openMemoryStore({ region: 'local' });
    const asked = Promise.withResolvers<void>();
    const silent = () => {
      asked.resolve();
      return new Promise<undefined>(() => undefined);
    };
    const { notes } = store;
    const silentNotes = { put: notes.put.bind(notes), names: notes.names.bind(notes), get: silent };
    const other = await startTestServer({ clock, blobs: storeWith(store, { notes: silentNotes }) });
    onTestFinished(other.close);
    const probe = http({ url: other.url }, 'GET /readyz');
    await asked.promise;
    clock.advance(limits.processAnswerMs);
    expect((await probe).status).toBe(503);
  });

  it('keeps the password of its first start in a file that only its user reads', async () => {
    const { mode } = await stat(join(server.dataFolder, 'admin-password'));
    expect(mode & 0o777).toBe(0o600);
    const everything = { role: 'admin', account: null, repositoryGlob: null };
    expect(await call(server.admin, whoami)).toMatchObject({ principal: 'admin', bindings: [everything] });
    expect(await call(server.admin, accountList)).toMatchObject({ accounts: [{ name: 'default' }] });
  });

  it('refuses a second server on its data folder in one sentence', async () => {
    const second = startServer(server.context.config, { logger: pino({ level: 'silent' }) });
    await expect(second).rejects.toMatchObject({
      code: 'dataFolderInUse',
      message: `another server uses the data folder ${server.dataFolder}`,
    });
  });

  it('says that a port is taken', async () => {
    const { config } = server.context;
    const port = Number(new URL(server.url).port);
    const other = {
      ...config,
      dataFolder: join(server.dataFolder, 'other'),
      listen: { ...config.listen, port },
    };
    const database = { kind: 'sqlite', file: join(server.dataFolder, 'other', 'm.sqlite') } as const;
    const second = startServer(
      { ...other, database, blobs: { kind: 'memory' } },
      { logger: pino({ level: 'silent' }) },
    );
    await expect(second).rejects.toMatchObject({ code: 'configInvalid', detail: { path: 'listen.port' } });
  });

  it('lets a restarted server have the folder, the password and the data', async () => {
    const first = await startTestServer();
    const { config, logger } = first.context;
    const { url: _, ...admin } = first.admin;
    await call(first.admin, accountCreate, { body: { name: 'acme' } });
    await first.stop();
    const second = await startServer(config, { logger, taskLoops: false });
    const { accounts } = await call({ ...admin, url: second.url }, accountList);
    expect(accounts.map((account) => account.name)).toContain('acme');
    await second.close();
    await first.close();
  });

  it('answers what it does not have with an error of its own', async () => {
    const response = await http(server.admin, 'GET /nowhere');
    expect([response.status, await errorCode(response)]).toEqual([404, 'notFound']);
    expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe('the management API', () => {
  it('binds every route of the contract, once', () => {
    const bound = apiRoutes(server.context).map((each) => each.route.name);
    expect(bound.toSorted()).toEqual(routes.map((route) => route.name).toSorted());
    expect(new Set(bound).size).toBe(bound.length);
  });

  it('names the field of a body that has another shape', async () => {
    const body = JSON.stringify({ name: 'x', kind: 'user', account: null, bindings: [{ role: 'king' }] });
    const response = await http(server.admin, 'POST /api/v1/principals', {
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      errors: [{ code: 'invalid', detail: { path: expect.stringMatching(/^body\.bindings\[0\]/) } }],
    });
  });

  it('refuses a body that is no JSON or too large', async () => {
    const headers = { 'content-type': 'application/json' };
    const broken = await http(server.admin, 'POST /api/v1/accounts', { body: '{', headers });
    expect([broken.status, await errorCode(broken)]).toEqual([400, 'invalid']);
    const body = JSON.stringify({ name: 'x'.repeat(2_000_000) });
    const large = await http(server.admin, 'POST /api/v1/accounts', { body, headers });
    expect([large.status, await errorCode(large)]).toEqual([413, 'tooLarge']);
  });

  it('asks for credentials, and refuses who is not of the audience', async () => {
    await expect(call({ url: server.url }, versionShow)).rejects.toMatchObject({ code: 'unauthorized' });
    const jo = await server.user('jo-reader', 'acme', [
      { role: 'reader', account: 'acme', repositoryGlob: null },
    ]);
    expect(await call(jo, versionShow)).toMatchObject({ region: 'local', primary: 'local' });
    await expect(call(jo, accountList)).rejects.toMatchObject({ code: 'denied' });
  });

  it('makes users whose secret works until they are disabled', async () => {
    const body = { name: 'acme+ci', kind: 'robot', account: 'acme', bindings: [] } as const;
    const { secret } = await call(server.admin, principalCreate, { body });
    const ci = {
      url: server.url,
      credentials: { kind: 'basic', username: 'acme+ci', password: secret },
    } as const;
    expect(await call(ci, whoami)).toMatchObject({ principal: 'acme+ci', kind: 'robot', account: 'acme' });
    await expect(call(server.admin, principalCreate, { body })).rejects.toMatchObject({ code: 'conflict' });
    await call(server.admin, principalDisable, { params: { name: 'acme+ci' } });
    await expect(call(ci, whoami)).rejects.toMatchObject({ code: 'unauthorized' });
  });

  it('describes itself as OpenAPI', async () => {
    const document = await call({ url: server.url }, openApiShow);
    expect(document).toMatchObject({
      openapi: '3.1.0',
      paths: { '/api/v1/whoami': { get: { operationId: 'whoami' } } },
    });
  });

  it('is unavailable to a client when nobody listens', async () => {
    const nobody = { url: 'http://127.0.0.1:1' };
    await expect(call(nobody, whoami)).rejects.toMatchObject({ code: 'unavailable' });
  });
});
