import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import { principalCreated } from '../../src/actions/access/create-principal.ts';
import type { Client } from '../../src/client/client.ts';
import type { RoleBinding } from '../../src/records/access/caller.ts';
import { loadConfig } from '../../src/server/config/config.ts';
import { type RunningServer, type ServerOverrides, startServer } from '../../src/server/server.ts';

export interface TestServer extends RunningServer {
  readonly dataFolder: string;
  /** The administrator, over everything. */
  readonly admin: Client;
  /** Stops it and leaves the folder; `close` may still follow. */
  readonly stop: () => Promise<void>;
  /** A new user of an account, with roles. */
  readonly user: (name: string, account: string | null, bindings: readonly RoleBinding[]) => Promise<Client>;
}

export interface TestServerOptions extends ServerOverrides {
  /** More variables: `LAZARET_REGION`. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** A real server on a free port of this machine, its data in a temporary folder; `close` removes all. */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { environment = {}, ...overrides } = options;
  const dataFolder = await mkdtemp(join(tmpdir(), 'lazaret-server-'));
  const defaults = { LAZARET_DATA: dataFolder, LAZARET_LISTEN_PORT: '0' };
  const { config } = await loadConfig({ environment: { ...defaults, ...environment }, file: undefined });
  const server = await startServer(config, {
    logger: pino({ level: 'silent' }),
    taskLoops: false,
    ...overrides,
  });
  const clientOf = (username: string, password: string): Client => ({
    url: server.url,
    credentials: { kind: 'basic', username, password },
  });
  const passwordFile = join(dataFolder, 'admin-password');
  const password = await readFile(passwordFile, 'utf8').catch(() => ''); // a region that is not the primary has none
  return {
    ...server,
    dataFolder,
    stop: server.close,
    admin: clientOf('admin', password.trim()),
    user: async (name, account, bindings) => {
      const created = await principalCreated(
        server.context,
        { name, kind: 'user', account, bindings },
        'test',
      );
      return clientOf(name, created.secret);
    },
    close: async () => {
      await server.close();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}
