import { once } from 'node:events';
import { createServer, type Server } from 'node:net';

/** As many ports of this machine as there are `wanted`: those if they are free, others where they are not (0: any). */
export async function freePorts(wanted: readonly number[]): Promise<number[]> {
  const servers: Server[] = [];
  try {
    for (const port of wanted)
      servers.push((await listening(port)) ?? (await listening(0)) ?? createServer());
    return servers.map(portOf);
  } finally {
    for (const server of servers) server.close();
  }
}

async function listening(port: number): Promise<Server | undefined> {
  const server = createServer();
  try {
    await once(server.listen(port, '127.0.0.1'), 'listening');
    return server;
  } catch {
    return undefined;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('This machine has no free port.');
}
