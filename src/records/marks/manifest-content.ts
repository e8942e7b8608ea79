import { parseManifest } from '../../oci/manifest.ts';
import type { Reader } from '../db/engine.ts';

/** What is asked about: any of these digests (blob or manifest), any of these diff ids. */
export interface Content {
  readonly digests: readonly string[];
  readonly diffIds: readonly string[];
}

export interface ManifestContent extends Content {
  /** What it names to be run, if that is here. */
  readonly childIds: readonly number[];
  /** What an index has beside its platforms. */
  readonly attestationIds: readonly number[];
}

/** What a manifest that is here needs, its own digest first; not its subject. */
export async function contentOfManifest(db: Reader, manifestId: number): Promise<ManifestContent> {
  const edges = await db
    .selectFrom('edges')
    .leftJoin('blobs', 'blobs.digest', 'edges.digest')
    .leftJoin('inspections', 'inspections.blob_id', 'blobs.id')
    .leftJoin('manifests', 'manifests.digest', 'edges.digest')
    .select(['edges.kind', 'edges.digest', 'edges.diff_id', 'inspections.diff_id as found_diff_id'])
    .select(['manifests.id as child_id', 'manifests.kind as child_kind'])
    .select('manifests.platform as child_platform')
    .where('edges.manifest_id', '=', manifestId)
    .where('edges.kind', '!=', 'subject')
    .execute();
  const self = await db
    .selectFrom('manifests')
    .select('digest')
    .where('id', '=', manifestId)
    .executeTakeFirst();
  const needed = edges.filter((edge) => edge.kind !== 'child').map((edge) => edge.digest);
  const diffIds = edges.flatMap((edge) => [edge.diff_id, edge.found_diff_id]).filter((id) => id !== null);
  const children = edges.flatMap((edge) =>
    edge.kind === 'child' && edge.child_id !== null
      ? [{ id: edge.child_id, digest: edge.digest, kind: edge.child_kind, platform: edge.child_platform }]
      : [],
  );
  const attestations = await attestationsAmong(db, manifestId, children);
  return {
    digests: self ? [self.digest, ...needed] : needed,
    diffIds: [...new Set(diffIds)],
    childIds: children.filter((child) => !attestations.has(child.id)).map((child) => child.id),
    attestationIds: [...attestations],
  };
}

interface ChildOfIndex {
  readonly id: number;
  readonly digest: string;
  readonly kind: string | null;
  readonly platform: string | null;
}

/** An attestation beside the platforms of an index is none of them (BuildKit's convention). */
const attestationPlatform = 'unknown/unknown';

/** An image's own config says that it is one. Of an artefact, which has none, the index says so. */
async function attestationsAmong(
  db: Reader,
  indexId: number,
  children: readonly ChildOfIndex[],
): Promise<ReadonlySet<number>> {
  const attestations = children.filter((child) => child.platform === attestationPlatform);
  const artefacts = children.filter((child) => child.kind === 'artifact' && child.platform === null);
  if (artefacts.length > 0) {
    const said = await attestationsSaid(db, indexId);
    attestations.push(...artefacts.filter((child) => said.has(child.digest)));
  }
  return new Set(attestations.map((child) => child.id));
}

async function attestationsSaid(db: Reader, indexId: number): Promise<ReadonlySet<string>> {
  const index = await db
    .selectFrom('manifests')
    .select(['body', 'media_type'])
    .where('id', '=', indexId)
    .executeTakeFirst();
  const parsed = index && parseManifest(index.body, index.media_type);
  const children = parsed?.kind === 'index' ? parsed.manifests : [];
  return new Set(
    children
      .filter(({ platform }) => platform && `${platform.os}/${platform.architecture}` === attestationPlatform)
      .map((child) => child.digest),
  );
}
