import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import type { RequestListener } from 'node:http';
import { join } from 'node:path';
import { handedOverServer } from '../../edges/http/handed-over.ts';
import { LazaretError } from '../../lib/errors.ts';

/** What the kernel takes as a path of a socket on every system (`sun_path`). */
const pathBytesMax = 103;

export interface ReadersSocket {
  readonly path: string;
  /** When the readers have ended. */
  readonly close: () => Promise<void>;
}

/**
 * Where the readers of a data folder reach its writer: the folder is only its owner's, and only one server uses it.
 * @throws configInvalid if its path is too long for a socket
 */
export async function listenForReaders(folder: string, answer: RequestListener): Promise<ReadersSocket> {
  const path = join(folder, 'writer.sock');
  if (Buffer.byteLength(path) > pathBytesMax)
    throw new LazaretError(
      'configInvalid',
      `http.processes: the path ${path} must have at most ${pathBytesMax} bytes, where there are several`,
      { detail: { path: 'data' } },
    );
  await rm(path, { force: true });
  const server = handedOverServer(answer).listen(path);
  await once(server, 'listening');
  return {
    path,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}
