import { fingerprintKeyEnsure } from '../../actions/inspect/fingerprint-key.ts';
import { replicatedBlob, type ServeBlobDeps } from '../../actions/replicate/serve-blob.ts';
import { replicationHeads, replicationLines, type ServeDeps } from '../../actions/replicate/serve-stream.ts';
import {
  replicationAccess,
  replicationBlob,
  replicationHead,
  replicationStream,
} from '../../contract/replication.ts';
import { accessSnapshotRead } from '../../records/access/access-snapshot.ts';
import { type BoundRoute, bind } from './bind.ts';

export interface ReplicationDeps extends ServeDeps, ServeBlobDeps {}

export function replicationRoutes(deps: ReplicationDeps): BoundRoute[] {
  return [
    bind(replicationStream, ({ query, signal }) => replicationLines(deps, query, signal)),
    bind(replicationHead, () => replicationHeads(deps)),
    bind(replicationAccess, async () => {
      await fingerprintKeyEnsure(deps.database);
      return accessSnapshotRead(deps.database.read);
    }),
    bind(replicationBlob, async ({ params, query, signal }) => {
      const blob = await replicatedBlob(deps, { ...params, ...query }, signal);
      return { contentType: 'application/octet-stream', ...blob };
    }),
  ];
}
