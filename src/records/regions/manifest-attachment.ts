import type { ManifestAttachment } from '../../contract/replication.ts';
import { isNonDistributable } from '../../oci/media-types.ts';
import type { Reader } from '../db/engine.ts';
import type { LogEvent } from '../log/event.ts';

/**
 * What travels with `manifest.pushed` and `manifest.restored` so that a follower can write the rows without a blob.
 * Undefined for other events, and for a manifest that is gone by now (an event that says so follows).
 */
export async function attachmentOf(db: Reader, event: LogEvent): Promise<ManifestAttachment | undefined> {
  const { digest } = event.data;
  if (!carrying.has(event.type) || typeof digest !== 'string') return undefined;
  const manifest = await db
    .selectFrom('manifests')
    .selectAll()
    .where('digest', '=', digest)
    .executeTakeFirst();
  if (!manifest) return undefined;
  const edges = await edgesOf(db, manifest.id);
  const blobs = await blobsOf(db, manifest.id);
  return {
    whole: isWhole(edges, blobs),
    body: Buffer.from(manifest.body).toString('base64'),
    mediaType: manifest.media_type,
    kind: manifest.kind,
    artifactType: manifest.artifact_type,
    platform: manifest.platform,
    annotations: manifest.annotations === null ? {} : JSON.parse(manifest.annotations),
    digestSha512: manifest.digest_sha512,
    edges,
    blobs,
  };
}

const carrying: ReadonlySet<string> = new Set(['manifest.pushed', 'manifest.restored']);

function isWhole(edges: ManifestAttachment['edges'], blobs: ManifestAttachment['blobs']): boolean {
  const here = new Set(blobs.flatMap((blob) => [blob.digest, blob.digestSha512]));
  return edges
    .filter(({ kind, mediaType }) => blobKinds.has(kind) && !isNonDistributable(mediaType))
    .every(({ digest }) => here.has(digest));
}

const blobKinds: ReadonlySet<string> = new Set(['config', 'layer']);

function edgesOf(db: Reader, manifestId: number): Promise<ManifestAttachment['edges']> {
  return db
    .selectFrom('edges')
    .select(['kind', 'position', 'digest', 'media_type as mediaType'])
    .select(['size_bytes as sizeBytes', 'diff_id as diffId'])
    .where('manifest_id', '=', manifestId)
    .orderBy('kind')
    .orderBy('position')
    .execute();
}

async function blobsOf(db: Reader, manifestId: number): Promise<ManifestAttachment['blobs']> {
  const rows = await db
    .selectFrom('blobs')
    .leftJoin('inspections', 'inspections.blob_id', 'blobs.id')
    .selectAll('inspections')
    .select(['blobs.digest', 'blobs.digest_sha512', 'blobs.size_bytes'])
    .where('blobs.state', '!=', 'condemned')
    .where((e) =>
      e.exists(
        e
          .selectFrom('edges')
          .select('edges.digest')
          .where('edges.manifest_id', '=', manifestId)
          .where('edges.kind', 'in', ['config', 'layer'])
          .where((each) =>
            each.or([
              each('edges.digest', '=', each.ref('blobs.digest')),
              each('edges.digest', '=', each.ref('blobs.digest_sha512')),
            ]),
          ),
      ),
    )
    .orderBy('blobs.id')
    .execute();
  return rows.map((row) => ({
    digest: row.digest,
    digestSha512: row.digest_sha512,
    sizeBytes: row.size_bytes,
    inspection: row.state === null || row.state === 'pending' ? null : inspectionOf(row, row.state),
  }));
}

type InspectionRow = {
  readonly [K in 'reason' | 'diff_id' | 'os']: string | null;
} & {
  readonly [K in 'uncompressed_bytes' | 'entries' | 'duration_ms' | 'version' | 'inspected_at']:
    | number
    | null;
};

function inspectionOf(row: InspectionRow, state: 'done' | 'unknown' | 'notApplicable') {
  return {
    state,
    reason: row.reason,
    diffId: row.diff_id,
    uncompressedBytes: row.uncompressed_bytes ?? 0,
    entries: row.entries ?? 0,
    durationMs: row.duration_ms ?? 0,
    os: row.os,
    version: row.version ?? 0,
    inspectedAt: row.inspected_at,
  };
}
