import { hasCode, LazaretError } from '../../lib/errors.ts';
import type { ImageConfig } from '../../oci/config.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import { type Digest, digestAlgorithm, digestOf } from '../../oci/digest.ts';
import { type Manifest, manifestArtifactType, parseManifest } from '../../oci/manifest.ts';
import { isFilesystemLayer, isNonDistributable } from '../../oci/media-types.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import { blobsLinked, blobsLocked } from '../../records/catalog/blobs.ts';
import { manifestBringBack } from '../../records/catalog/bring-back.ts';
import { contentBelow, diffIdsFound, manifestsKnown } from '../../records/catalog/edges.ts';
import { assertTagsMutable } from '../../records/catalog/immutability.ts';
import {
  manifestKeep,
  type NewEdge,
  repositoryManifestKeep,
  type TagOrDigest,
} from '../../records/catalog/manifests.ts';
import { type Repository, repositoryEnsure } from '../../records/catalog/repositories.ts';
import { tagSet } from '../../records/catalog/tags.ts';
import { imageWant, inspectionsWant } from '../../records/catalog/wanted-inspections.ts';
import type { Tx } from '../../records/db/database.ts';
import type { Reader } from '../../records/db/engine.ts';
import { vexReferrersWant } from '../../records/exceptions/referrers.ts';
import { reviewAdd } from '../../records/holds/review.ts';
import { assertOpen, refusalOfContent, refusalOfPushed } from '../../records/marks/door.ts';
import type { Content } from '../../records/marks/manifest-content.ts';
import { hasImageConfig, readImageConfig } from './image-config.ts';
import { kindOf, platformOf } from './manifest-kind.ts';
import { type BlobsByDigest, blobsNamed } from './named-blobs.ts';
import { assertChildrenHere, type Sparse } from './sparse.ts';
import type { PushDeps } from './upload.ts';

/**
 * Accepting a manifest. Its bytes are kept as they came. One transaction locks the blobs that it names, checks that
 * each is live and linked here, and makes everything visible at once. Who wins:
 *
 * - against the collector: both lock the blob rows. Either it sees the new edges and skips the blob, or the blob is
 *   condemned here and the push gets manifestBlobUnknown, so the client uploads it again;
 * - against DELETE of one of the blobs: likewise;
 * - against a quarantine: the door is asked last, when the transaction has its place in the log, so a mark that was
 *   acknowledged before is seen, and everything is rolled back;
 * - against a push of the same tag: the later one in the log has it.
 *
 * Children of an index may be missing, and layers too where `push.sparse` allows it; the edge protects them when they
 * arrive. A child that was deleted meanwhile (its client
 * found it here and did not push it again) is brought back. What a manifest only names as `subject`
 * is never asked about: a signature, an SBOM or a VEX document may be attached to what is quarantined.
 *
 * distribution-spec, "Pushing Manifests".
 */
export interface ManifestPut {
  readonly repository: RepositoryName;
  readonly reference: TagOrDigest;
  /** More tags to set, as `?tag=` asks. */
  readonly tags?: readonly string[] | undefined;
  readonly bytes: Uint8Array;
  readonly contentType?: string | undefined;
  readonly principal: string;
}

export interface PutManifest {
  readonly digest: Digest;
  readonly tags: readonly string[];
  /** For the header OCI-Subject. */
  readonly subject: Digest | undefined;
}

/**
 * @throws manifestTooLarge, manifestInvalid, digestInvalid, manifestBlobUnknown, quarantined, denied (no such account),
 *   readOnlyReplica
 */
export async function manifestPut(deps: PushDeps, put: ManifestPut): Promise<PutManifest> {
  const manifest = parseManifest(put.bytes, put.contentType);
  const digest = assertDigest(put);
  const tags = [...new Set([...('tag' in put.reference ? [put.reference.tag] : []), ...(put.tags ?? [])])];
  const store = { read: deps.database.read, blobs: deps.blobs };
  const found =
    manifest.kind === 'image' ? await readImageConfig(store, put.repository.name, manifest) : undefined;
  const config = found === 'missing' ? undefined : found;
  const unread = found === 'missing' && manifest.kind === 'image' ? manifest.config.digest : undefined;
  const sparse = deps.sparse?.(put.repository.name) ?? 'index';
  try {
    const accepting = { put, manifest, config, unread, digest, tags, sparse };
    await deps.database.transact((tx) => accept(tx, accepting));
  } catch (error) {
    if (hasCode(error, 'manifestBlobUnknown')) await assertUnmarked(deps, { put, manifest, config });
    throw error;
  }
  const named = 'digest' in put.reference ? put.reference.digest : digest;
  return { digest: named, tags, subject: manifest.subject?.digest };
}

/** What is missing, and would be refused when it is uploaded, is refused at once. @throws quarantined */
async function assertUnmarked(
  { database }: PushDeps,
  { put, manifest, config }: Pick<Accepting, 'put' | 'manifest' | 'config'>,
): Promise<void> {
  const { name: repository, account } = put.repository;
  const digests = blobsNamed(manifest).map((descriptor) => descriptor.digest);
  const content = { digests, diffIds: config?.diffIds ?? [] };
  assertOpen(await refusalOfContent(database.read, { repository, account }, content));
}

/** @returns the sha256, whatever it was pushed by. @throws digestInvalid */
function assertDigest({ bytes, reference }: ManifestPut): Digest {
  const digest = digestOf(bytes);
  if ('tag' in reference) return digest;
  const algorithm = digestAlgorithm(reference.digest);
  const found = algorithm === 'sha256' ? digest : digestOf(bytes, algorithm);
  if (found === reference.digest) return digest;
  throw new LazaretError('digestInvalid', `the manifest has the digest ${found}, not ${reference.digest}`, {
    detail: { digest: reference.digest, found },
  });
}

interface Accepting {
  readonly put: ManifestPut;
  readonly manifest: Manifest;
  /** undefined: unknown, or an index. */
  readonly config: ImageConfig | undefined;
  /** The config's digest if it was not here when it was to be read: nobody knows what it says, though it may be here now. */
  readonly unread: Digest | undefined;
  readonly digest: Digest;
  readonly tags: readonly string[];
  readonly sparse: Sparse;
}

async function accept(tx: Tx, accepting: Accepting): Promise<void> {
  const { put, manifest, digest, unread, sparse } = accepting;
  const repository = await repositoryEnsure(tx, put.repository);
  const blobs = await blobsLocked(
    tx,
    blobsNamed(manifest).map((descriptor) => descriptor.digest),
  );
  await assertNamedHere(tx, { repository, manifest, blobs, unread, sparse });
  const manifestId = await manifestKeep(tx, {
    digest,
    sha512: 'digest' in put.reference && put.reference.digest !== digest ? put.reference.digest : undefined,
    kind: kindOf(manifest, accepting.config),
    mediaType: manifest.mediaType,
    artifactType: manifestArtifactType(manifest),
    platform: accepting.config && platformOf(accepting.config),
    body: put.bytes,
    annotations: manifest.annotations,
    edges: await edgesOf(tx.db, { manifest, config: accepting.config, blobs }),
  });
  await repositoryManifestKeep(tx, { repositoryId: repository.id, manifestId, actor: put.principal });
  if (manifest.kind === 'index')
    await manifestBringBack(tx, { repository, from: { id: manifestId, digest }, actor: put.principal });
  emitPushed(tx, repository, accepting);
  await setTags(tx, { repository, manifestId, accepting });
  await wantInspection(tx, { manifest, manifestId, blobs });
  if (manifest.subject) await vexReferrersWant(tx, repository.name, [manifestId]);
  const content = await contentOf(tx.db, { accepting, blobs });
  // From here to the commit no other transaction is acknowledged, so no mark can come in between.
  await tx.nextVersion();
  const scope = { repository: repository.name, account: repository.account };
  assertOpen(await refusalOfContent(tx.db, scope, content));
  assertOpen(await refusalOfPushed(tx.db, scope, { manifestId, nowMs: tx.nowMs }));
}

interface Naming {
  readonly repository: Repository;
  readonly manifest: Manifest;
  readonly blobs: BlobsByDigest;
  readonly unread: Digest | undefined;
  readonly sparse: Sparse;
}

/** @throws manifestBlobUnknown, manifestInvalid if a size is wrong */
async function assertNamedHere(tx: Tx, naming: Naming): Promise<void> {
  const { repository, manifest, blobs, unread, sparse } = naming;
  if (sparse === 'refuse') await assertChildrenHere(tx, naming);
  const mayLack = sparse === 'all' || manifest.kind === 'index';
  const linked = await blobsLinked(tx.db, repository.id, [
    ...new Set([...blobs.values()].map((blob) => blob.id)),
  ]);
  const missing: string[] = [];
  for (const { digest, size, mediaType } of blobsNamed(manifest)) {
    const blob = blobs.get(digest);
    const here = blob?.state === 'live' && linked.has(blob.id) && digest !== unread;
    if (!here && !mayLack && !isNonDistributable(mediaType)) missing.push(digest);
    if (here && blob.size_bytes !== size)
      throw new LazaretError(
        'manifestInvalid',
        `${digest} has ${blob.size_bytes} bytes, the manifest says ${size}`,
        {
          detail: { digest, size, found: blob.size_bytes },
        },
      );
  }
  const [first] = missing;
  if (first === undefined) return;
  throw new LazaretError('manifestBlobUnknown', `${repository.name} has no blob ${missing.join(', ')}`, {
    detail: { digest: first, digests: missing },
  });
}

/** By the sha256 of what is known, so that marks and the collector meet one name only. */
async function edgesOf(
  db: Reader,
  { manifest, config, blobs }: { manifest: Manifest; config: ImageConfig | undefined; blobs: BlobsByDigest },
): Promise<NewEdge[]> {
  const children = manifest.kind === 'index' ? manifest.manifests : [];
  const known = await manifestsKnown(
    db,
    children.map((child) => child.digest),
  );
  const edge = (kind: NewEdge['kind'], { digest, mediaType, size }: Descriptor): NewEdge => ({
    kind,
    digest: (blobs.get(digest) ?? known.get(digest))?.digest ?? digest,
    mediaType,
    sizeBytes: size,
  });
  const blobChildren = new Set(manifest.kind === 'index' ? blobsNamed(manifest) : []);
  const edges = children.map((child) =>
    edge(blobChildren.has(child) && !known.has(child.digest) ? 'layer' : 'child', child),
  );
  if (manifest.subject) edges.push(edge('subject', manifest.subject));
  if (manifest.kind === 'index') return edges;
  // A config that names another number of layers says nothing about any of them.
  const diffIds = config?.diffIds.length === manifest.layers.length ? config.diffIds : [];
  const layers = manifest.layers.map((layer, at) => ({ ...edge('layer', layer), diffId: diffIds[at] }));
  return [...edges, edge('config', manifest.config), ...layers];
}

/** All that the door is asked about: what the manifest is, names and claims, at any depth, but not its subject. */
async function contentOf(
  db: Reader,
  { accepting, blobs }: { accepting: Accepting; blobs: BlobsByDigest },
): Promise<Content> {
  const { manifest, config, digest, put } = accepting;
  const named = manifest.kind === 'index' ? manifest.manifests : blobsNamed(manifest);
  const children =
    manifest.kind === 'index'
      ? await manifestsKnown(
          db,
          manifest.manifests.map((child) => child.digest),
        )
      : undefined;
  const below = await contentBelow(db, [...(children?.values() ?? [])]);
  const rows = [...new Set(blobs.values())];
  const found = await diffIdsFound(
    db,
    rows.map((blob) => blob.id),
  );
  const pushedBy = 'digest' in put.reference ? [put.reference.digest] : [];
  return {
    digests: [
      ...new Set([
        digest,
        ...pushedBy,
        ...named.map((each) => each.digest),
        ...rows.map((blob) => blob.digest),
        ...below.digests,
      ]),
    ],
    diffIds: [...new Set([...(config?.diffIds ?? []), ...found, ...below.diffIds])],
  };
}

function emitPushed(tx: Tx, repository: Repository, { put, manifest, digest, tags }: Accepting): void {
  const subject = manifest.subject?.digest;
  tx.emit({
    type: 'manifest.pushed',
    lane: 'content',
    account: repository.account,
    subject: `${repository.name}@${digest}`,
    actor: put.principal,
    data: {
      repository: repository.name,
      digest,
      mediaType: manifest.mediaType,
      tags,
      ...(subject === undefined ? {} : { subject }),
    },
  });
}

async function setTags(
  tx: Tx,
  { repository, manifestId, accepting }: { repository: Repository; manifestId: number; accepting: Accepting },
): Promise<void> {
  const { digest, tags, put } = accepting;
  const algorithm = 'digest' in put.reference ? digestAlgorithm(put.reference.digest) : 'sha256';
  for (const name of [...tags].sort()) {
    const tag = { repository, name, manifestId, digest, algorithm, actor: put.principal };
    const before = await tagSet(tx, tag);
    if (!before || before.digest === digest) continue;
    await assertTagsMutable(tx.db, repository, { tags: [name], what: 'moved' });
    await reviewAdd(tx, 'manifest', before.digest, `tag ${name} moved`);
  }
}

/**
 * What is, or holds, a file system is read whole, whatever else its config calls it: a layer type that nobody knows yet is
 * unknown, not clean.
 */
async function wantInspection(
  tx: Tx,
  { manifest, manifestId, blobs }: { manifest: Manifest; manifestId: number; blobs: BlobsByDigest },
): Promise<void> {
  if (manifest.kind === 'index') return;
  const isImage =
    hasImageConfig(manifest) || manifest.layers.some((layer) => isFilesystemLayer(layer.mediaType));
  const wanted = isImage ? manifest.layers : [];
  await imageWant(tx, manifestId, { state: wanted.length > 0 ? 'pending' : 'notApplicable' });
  await inspectionsWant(
    tx,
    wanted.flatMap(({ digest, mediaType }) => {
      const blob = blobs.get(digest);
      return blob ? [{ blobId: blob.id, digest: blob.digest, mediaType }] : [];
    }),
  );
}
