import type { Logger } from 'pino';
import { regionPrincipal } from '../actions/access/peer-principals.ts';
import { LeaseBasis } from '../actions/launch/lease-basis.ts';
import { acknowledgeTask } from '../actions/replicate/acknowledge.ts';
import { Copier } from '../actions/replicate/copier.ts';
import { followPeer } from '../actions/replicate/follow.ts';
import { clientLink, type PeerLink } from '../actions/replicate/peer-link.ts';
import type { BlobStore } from '../blobs/blob-store.ts';
import type { Clock } from '../lib/clock.ts';
import { causeChain, LazaretError } from '../lib/errors.ts';
import type { Task } from '../lib/task.ts';
import type { Database } from '../records/db/database.ts';
import type { Config } from './config/config.ts';

export interface Replication {
  readonly tasks: readonly Task[];
  /** Brings a remote blob's bytes here. @throws unavailable, quarantined */
  readonly fetchRemote: (digest: string) => Promise<void>;
  readonly leases: LeaseBasis;
  /** Begins to follow the peers. */
  readonly start: () => void;
  readonly stop: () => Promise<void>;
}

export interface ReplicationParts {
  readonly config: Pick<Config, 'replication' | 'region' | 'primary' | 'peers'>;
  readonly clock: Clock;
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly logger: Logger;
}

/** The primary region, unless it is this one. */
function homeOf({ region, primary }: ReplicationParts['config'], links: readonly PeerLink[]) {
  if (primary === region) return undefined;
  const link = links.find((one) => one.region === primary);
  const head = async (signal: AbortSignal) => {
    if (!link) throw new LazaretError('unavailable', `the primary region ${primary} is no peer of this one`);
    return link.head(signal);
  };
  return { region: primary, head };
}

/** What keeps this region a replica of its peers' content, and obedient to their quarantines. */
export function openReplication(parts: ReplicationParts): Replication {
  const { config, clock, database, blobs, logger } = parts;
  const { region, peers } = config;
  const links: PeerLink[] = peers.map(({ name, url, secret, ca }) =>
    clientLink(name, {
      url,
      ca,
      credentials: { kind: 'basic', username: regionPrincipal(region), password: secret },
    }),
  );
  const onProblem = (error: LazaretError) => logger.warn({ error: causeChain(error) }, 'replication');
  const copier = new Copier({
    database,
    blobs,
    clock,
    region,
    links: new Map(links.map((link) => [link.region, link])),
    onProblem,
  });
  const leases = new LeaseBasis({ database, clock, primary: homeOf(config, links), onProblem });
  const stopping = new AbortController();
  let following: readonly Promise<void>[] = [];
  return {
    tasks: [acknowledgeTask({ database, blobs, region }), copier.task],
    leases,
    fetchRemote: (digest) => copier.fetchRemote(digest),
    start: () => {
      const deps = { database, clock, policy: config.replication, onProblem };
      following = [
        ...links.map((link) => followPeer(deps, link, stopping.signal)),
        leases.keep(stopping.signal),
      ];
    },
    stop: async () => {
      stopping.abort();
      copier.close();
      await Promise.all(following);
    },
  };
}
