/**
 * One `lazaret serve` with two processes: the first writes, the other answers pulls by itself and hands everything else
 * over. Whoever asks can't tell which of them answers; the log does.
 */
import { once } from 'node:events';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import BetterSqlite3 from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { authorization, type Client, call } from '../../src/client/client.ts';
import { accountCreate } from '../../src/contract/access.ts';
import { principalCreate, principalDisable } from '../../src/contract/principals.ts';
import { planApply, planCreate, quarantineReleaseRoute } from '../../src/contract/quarantines.ts';
import { limits } from '../../src/lib/limits.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { type CertificateFiles, openAuthority } from '../support/certificates.ts';
import { type Answer, Connection, connectionToEach } from '../support/connections.ts';
import { pushImage } from '../support/distribution-world.ts';
import { freshDatabase } from '../support/postgres.ts';
import { patience, type Serving, startServing } from '../support/serve.ts';

const twoProcesses = { LAZARET_HTTP_PROCESSES: '2' };

async function push(connection: Connection, repository: string, content: Buffer): Promise<Answer> {
  const begun = await connection.ask(`POST /v2/${repository}/blobs/uploads/`);
  expect(begun.status).toBe(202);
  const sent = await connection.ask(`PATCH ${begun.headers.location}`, { body: content });
  expect(sent.status).toBe(202);
  return connection.ask(`PUT ${sent.headers.location}?digest=${digestOf(content)}`);
}

async function quarantine(client: Client, layer: string): Promise<string> {
  const plan = await call(client, planCreate, { body: { targets: { layers: [layer] } } });
  return (await call(client, planApply, { params: { name: plan.name }, body: { reason: 'INC-42' } })).uid;
}

describe.each(['sqlite', 'postgres'] as const)('a server of two processes, on %s', (engine) => {
  let serving: Serving;
  let each: [Connection, Connection];
  const cleanups: (() => unknown)[] = [];
  beforeAll(async () => {
    const database = engine === 'postgres' ? await freshDatabase() : undefined;
    if (database) cleanups.push(database.drop);
    serving = await startServing({
      ...twoProcesses,
      ...(database ? { LAZARET_DATABASE_URL: database.url } : {}),
    });
    cleanups.push(serving.close);
    each = await connectionToEach(serving);
  });
  afterAll(async () => {
    for (const cleanup of cleanups.reverse()) await cleanup();
  });

  it('answers pulls in each process, and pushes by each in the one that writes', async () => {
    for (const [number, connection] of each.entries()) {
      const content = Buffer.from(`pushed by ${number}`);
      const pushed = await push(connection, 'default/pushed', content);
      expect(pushed.status).toBe(201);
      const line = await serving.logged(String(pushed.headers['x-request-id']));
      expect(line).toMatchObject({ process: 0, from: '127.0.0.1' });
      for (const [other, reading] of each.entries()) {
        const got = await reading.ask(`GET /v2/default/pushed/blobs/${digestOf(content)}`);
        expect(got.body).toEqual(content);
        expect(await serving.logged(String(got.headers['x-request-id']))).toMatchObject({ process: other });
      }
    }
  });

  it('holds a blob that is asked for before an image names it, whichever process is asked', async () => {
    const content = Buffer.from('named by nothing');
    await push(each[0], 'default/held', content);
    for (const connection of each) {
      const head = await connection.ask(`HEAD /v2/default/held/blobs/${digestOf(content)}`);
      expect([head.status, head.headers['content-length']]).toEqual([200, String(content.length)]);
    }
  });

  it('refuses what is quarantined in each from the acknowledgement on, and serves it again after the release', async () => {
    const { layer, digest } = await pushImage(serving.admin, 'default/marked:1');
    const doors = ['manifests/1', `manifests/${digest}`, `blobs/${layer}`];
    const statuses = async () => {
      const answers = each.flatMap((connection) =>
        doors.map(async (door) => (await connection.ask(`GET /v2/default/marked/${door}`)).status),
      );
      return [...new Set(await Promise.all(answers))];
    };
    expect(await statuses()).toEqual([200]);
    const name = await quarantine(serving.admin, layer);
    expect(await statuses()).toEqual([403]);
    await call(serving.admin, quarantineReleaseRoute, { params: { name }, body: { reason: 'over' } });
    expect(await statuses()).toEqual([200]);
  });

  it('cuts what each of them is sending when a quarantine comes to reach it', async () => {
    const content = Buffer.alloc(48 * 1024 * 1024, 'more than the buffers between hold');
    await push(each[0], 'default/cut', content);
    const sending = await Promise.all(
      each.map((connection) => connection.begin(`GET /v2/default/cut/blobs/${digestOf(content)}`)),
    );
    await quarantine(serving.admin, digestOf(content));
    const ends = sending.map((answer) => answer.toArray());
    for (const end of await Promise.allSettled(ends)) expect(end.status).toBe('rejected');
    each = await connectionToEach(serving);
  });

  it('ends the rights of a user in each at once, for a token as well', async () => {
    await call(serving.admin, accountCreate, { body: { name: 'acme' } });
    const bindings = [{ role: 'reader', account: 'acme', repositoryGlob: null } as const];
    const body = { name: 'jo', kind: 'user', account: 'acme', bindings } as const;
    const { secret } = await call(serving.admin, principalCreate, { body });
    const jo = {
      url: serving.admin.url,
      credentials: { kind: 'basic', username: 'jo', password: secret },
    } as const;
    const scope = 'service=lazaret&scope=repository:acme/shop:pull';
    const token: { token: string } = JSON.parse(
      String((await new Connection(jo).ask(`GET /v2/token?${scope}`)).body),
    );
    const { layer } = await pushImage(serving.admin, 'acme/shop:1');
    const asJo = [authorization(jo.credentials), { authorization: `Bearer ${token.token}` }];
    const statuses = async () => {
      const answers = each.flatMap(({ client }) =>
        asJo.map(async (headers) => {
          const at = await connectionToEach(serving, { url: client.url });
          return Promise.all(
            at.map(async (one) => (await one.ask(`GET /v2/acme/shop/blobs/${layer}`, { headers })).status),
          );
        }),
      );
      return [...new Set((await Promise.all(answers)).flat())];
    };
    expect(await statuses()).toEqual([200]);
    await call(serving.admin, principalDisable, { params: { name: 'jo' } });
    expect(await statuses()).toEqual([401]);
  });

  it('shows the counts of both, and is ready when both are', async () => {
    for (const connection of each)
      for (let asked = 0; asked < 3; asked += 1)
        expect((await connection.ask('GET /v2/default/counted/tags/list')).status).toBe(404);
    const metrics = String((await each[1].ask('GET /metrics')).body);
    const counted = 'lazaret_http_request_duration_seconds_count{method="GET",route="/v2/tags",code="404"} 6';
    expect(metrics).toContain(counted);
    expect(metrics).toMatch(/^lazaret_log_head [1-9]/m);
    const ready = await each[1].ask('GET /readyz');
    expect([ready.status, String(ready.body)]).toEqual([200, '{"status":"ready"}']);
  });
});

describe('a server of two processes, each of which is asked', () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await startServing({ ...twoProcesses, LAZARET_ACCESS_REQUESTS_PER_MINUTE: '40' });
  });
  afterAll(() => serving.close());

  it('counts requests against one rate', async () => {
    const body = { name: 'jo', kind: 'user', account: 'default', bindings: [] } as const;
    const { secret } = await call(serving.admin, principalCreate, { body });
    const credentials = { kind: 'basic', username: 'jo', password: secret } as const;
    const headers = authorization(credentials);
    const statuses = await askedOfEach(serving, { headers, times: 30 });
    // Neither of them alone has been asked too often.
    expect(statuses).toContain(200);
    expect(statuses).toContain(429);
  });
});

describe('a server of two processes that share what they count', () => {
  let serving: Serving;
  beforeAll(async () => {
    serving = await startServing(twoProcesses);
  });
  afterAll(() => serving.close());

  it('brakes on guesses at a password, over both together', async () => {
    // Fewer at each than one process alone lets by.
    const atEach = limits.guessesOfPair - 1;
    const connections = [];
    for (let count = 0; count < atEach; count += 1) connections.push(...(await connectionToEach(serving)));
    const statuses = await Promise.all(
      connections.map(async (connection, guess) => {
        const headers = authorization({ kind: 'basic', username: 'admin', password: `guess ${guess}` });
        return (await connection.ask('GET /v2/', { headers })).status;
      }),
    );
    expect(statuses.filter((status) => status === 401)).toHaveLength(limits.guessesOfPair);
    expect(statuses.filter((status) => status === 429)).toHaveLength(2 * atEach - limits.guessesOfPair);
  });

  it('has in its ledger who pulled from each, also when it is asked to end', async () => {
    const { digest } = await pushImage(serving.admin, 'default/counted:1');
    for (const connection of await connectionToEach(serving))
      expect((await connection.ask('GET /v2/default/counted/manifests/1')).status).toBe(200);
    serving.process.kill('SIGTERM');
    await once(serving.process, 'exit');
    using rows = rowsOf(serving.dataFolder);
    const served = "select sum(count) as count from ledger where verdict = 'served' and digest = ?";
    expect(rows.get(served, digest)).toEqual({ count: 2 });
    const pulled = `select count(*) as count from repository_manifests join manifests on manifests.id = manifest_id
      where digest = ? and last_pulled_at is not null`;
    expect(rows.get(pulled, digest)).toEqual({ count: 1 });
  });
});

function rowsOf(dataFolder: string) {
  const database = new BetterSqlite3(join(dataFolder, 'metadata.sqlite'), { readonly: true });
  return {
    get: (query: string, ...values: readonly string[]) => database.prepare(query).get(...values),
    [Symbol.dispose]: () => database.close(),
  };
}

describe('a server of two processes with a certificate', () => {
  it('shows the renewed one in each once it is told to look', async () => {
    const authority = await openAuthority();
    const [first, second] = [await authority.issue('first'), await authority.issue('second')];
    const files = { cert: join(authority.folder, 'tls.pem'), key: join(authority.folder, 'tls.key') };
    const install = async (pair: CertificateFiles) => {
      await copyFile(pair.cert, files.cert);
      await copyFile(pair.key, files.key);
    };
    await install(first);
    const tls = { LAZARET_LISTEN_TLS_CERT: files.cert, LAZARET_LISTEN_TLS_KEY: files.key };
    const serving = await startServing({ ...twoProcesses, ...tls });
    try {
      const ca = await readFile(authority.caFile, 'utf8');
      // The kernel deals connections out: of so many, each process gets some.
      const shown = async () =>
        new Set(await Promise.all(Array.from({ length: 40 }, () => nameShown(serving, ca))));
      expect(await shown()).toEqual(new Set(['first']));
      await install(second);
      serving.process.kill('SIGHUP');
      await vi.waitFor(async () => expect(await shown()).toEqual(new Set(['second'])), patience);
    } finally {
      await serving.close();
      await authority.close();
    }
  });
});

async function nameShown(serving: Serving, ca: string): Promise<unknown> {
  const socket = connect({ host: 'localhost', port: Number(new URL(serving.admin.url).port), ca });
  await once(socket, 'secureConnect');
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

/** @returns the statuses of so many requests to each of two processes */
async function askedOfEach(
  serving: Serving,
  { headers, times }: { readonly headers: Record<string, string>; readonly times: number },
): Promise<readonly number[]> {
  const each = await connectionToEach(serving, { url: serving.admin.url });
  const statuses = await Promise.all(
    each.map(async (connection) => {
      const own: number[] = [];
      for (let count = 0; count < times; count += 1)
        own.push((await connection.ask('GET /v2/', { headers })).status);
      return own;
    }),
  );
  return statuses.flat();
}

describe('the processes of a server', () => {
  let serving: Serving;
  const closes: (() => Promise<void>)[] = [];
  const start = async () => {
    serving = await startServing(twoProcesses);
    closes.push(serving.close);
    return Number((await childrenOf(serving.process.pid))[0]);
  };
  afterAll(async () => {
    for (const close of closes) await close();
  });

  it('are replaced when they end, and counted on, and none outlives the first, nor keeps the data folder', async () => {
    const reader = await start();
    const { pid } = serving.process;
    process.kill(reader, 'SIGKILL');
    await vi.waitFor(async () => {
      const [next] = await childrenOf(pid);
      expect(Number(next ?? reader)).not.toBe(reader);
      expect((await fetch(`${serving.admin.url}/readyz`)).status).toBe(200);
    }, patience);
    await connectionToEach(serving);
    await expect(startServing({ ...twoProcesses, LAZARET_DATA: serving.dataFolder })).rejects.toThrow(
      'another server uses the data folder',
    );
    const [replaced] = await childrenOf(pid);
    serving.process.kill('SIGKILL');
    await vi.waitFor(() => expect(() => process.kill(Number(replaced), 0)).toThrow('ESRCH'), patience);
    const next = await startServing({ ...twoProcesses, LAZARET_DATA: serving.dataFolder });
    closes.push(next.close);
  }, 60_000);

  it('end together when the first is asked to', async () => {
    const reader = await start();
    serving.process.kill('SIGTERM');
    await once(serving.process, 'exit');
    expect(serving.process.exitCode).toBe(0);
    expect(() => process.kill(reader, 0)).toThrow('ESRCH');
  });
});

async function childrenOf(pid = 0): Promise<readonly string[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return children.split(' ').filter((child) => child !== '');
}
