import type { ByteSource } from '../../lib/streams.ts';
import { type Digest, digestOf } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { parseRepositoryName, type RepositoryName } from '../../oci/reference.ts';
import { type SbomFormat, sbomFormats, sbomMediaTypes } from '../../oci/sbom-formats.ts';
import { repositoryForChange } from '../../records/catalog/repositories.ts';
import { sbomFormatsOver, sbomRules } from '../../records/catalog/sbom-rules.ts';
import { referrersTake } from '../../records/catalog/take.ts';
import type { Database } from '../../records/db/database.ts';
import {
  type ImageForSbom,
  imageForSbom,
  type SbomName,
  sbomsBeside,
} from '../../records/inventory/images-for-sboms.ts';
import { type Job, jobEnqueue, jobFinish } from '../../records/jobs/jobs.ts';
import { sbomOf } from './sbom.ts';

/**
 * The bills of materials of one image in one repository, kept beside it: for each format that a rule asks for an artefact
 * whose `subject` is the image, with the document as its one layer. They are pushed as a client would push them, so
 * whatever holds for a referrer holds for them.
 *
 * The same inventory gives the same bytes, so an artefact that is here already is left alone. One of another inventory is
 * pushed first, and its predecessor goes in the transaction that ends the job: a crash in between leaves both for the
 * next try. What goes is only what nobody but this pushed, and only while it has no tag. An image that was deleted
 * meanwhile takes none with it that was pushed after: then all that are this one's go.
 *
 * image-spec 1.1, "Guidelines for Artifact Usage".
 */
export interface AttachDeps {
  readonly database: Database;
  readonly push: SbomPush;
}

/** How anybody pushes. */
export interface SbomPush {
  blob(blob: {
    readonly repository: RepositoryName;
    readonly principal: string;
    readonly digest: Digest;
    readonly source: ByteSource;
  }): Promise<unknown>;
  manifest(manifest: {
    readonly repository: RepositoryName;
    readonly principal: string;
    readonly reference: { readonly digest: Digest };
    readonly bytes: Uint8Array;
    readonly contentType: string;
  }): Promise<unknown>;
}

/** No principal's: those have no colon. So what it pushed is told from what others did. */
export const sbomActor = 'lazaret:sbom';

const pieceBytes = 1_048_576;
const emptyConfig = Buffer.from('{}');
const titles: Readonly<Record<SbomFormat, string>> = { cyclonedx: 'sbom.cdx.json', spdx: 'sbom.spdx.json' };

/**
 * The job ends also when there is nothing to do: an image that has not been inspected is asked for again when it is.
 * @throws as a push, and as `sbomOf`
 */
export async function attachSboms(deps: AttachDeps, job: Job, name: SbomName): Promise<void> {
  const { read } = deps.database;
  const found = await imageForSbom(read, name);
  const image = found?.state === 'ready' ? found : undefined;
  const formats = image ? sbomFormatsOver(await sbomRules(read), image.repository) : [];
  const current = new Set<string>();
  for (const format of formats) if (image) current.add(await attached(deps, image, format));
  await replaceFormer(deps, { job, name, formats, current, viewedAt: image?.viewedAt });
}

/** @returns the digest of the artefact, which is in the repository now */
async function attached(deps: AttachDeps, image: ImageForSbom, format: SbomFormat): Promise<Digest> {
  const { database, push } = deps;
  const { id, digest, repository } = image;
  const sbom = await sbomOf(database, { id, digest, repository: repository.name }, format);
  const manifest = artefactOf(image, format, sbom);
  const own = digestOf(manifest);
  const asked = { repository: repository.name, digest, formats: [format] };
  if ((await sbomsBeside(database.read, asked)).some((beside) => beside.digest === own)) return own;
  const to = { repository: parseRepositoryName(repository.name), principal: sbomActor };
  for (const bytes of [emptyConfig, sbom.bytes])
    await push.blob({ ...to, digest: digestOf(bytes), source: inPieces(bytes) });
  const contentType = mediaTypes.ociManifest;
  await push.manifest({ ...to, reference: { digest: own }, bytes: manifest, contentType });
  return own;
}

function artefactOf(
  { digest, mediaType, sizeBytes }: ImageForSbom,
  format: SbomFormat,
  sbom: { readonly bytes: Buffer; readonly madeAt: string },
): Buffer {
  const descriptor = (type: string, bytes: Buffer) => ({
    mediaType: type,
    digest: digestOf(bytes),
    size: bytes.byteLength,
  });
  const type = sbomMediaTypes[format];
  const title = { 'org.opencontainers.image.title': titles[format] };
  return Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.ociManifest,
      artifactType: type,
      config: descriptor(mediaTypes.ociEmpty, emptyConfig),
      layers: [{ ...descriptor(type, sbom.bytes), annotations: title }],
      subject: { mediaType, digest, size: sizeBytes },
      annotations: { 'org.opencontainers.image.created': sbom.madeAt, ...title },
    }),
  );
}

interface Replacing {
  readonly job: Job;
  readonly name: SbomName;
  readonly formats: readonly SbomFormat[];
  readonly current: ReadonlySet<string>;
  /** Of the view that they are of. */
  readonly viewedAt: number | null | undefined;
}

async function replaceFormer(
  { database }: AttachDeps,
  { job, name, formats, current, viewedAt }: Replacing,
): Promise<void> {
  await database.transact(async (tx) => {
    await jobFinish(tx, job);
    const image = await imageForSbom(tx.db, name);
    // A view that came before the job's row went has asked for nothing, since the job was there.
    if (image?.state === 'ready' && image.viewedAt !== viewedAt) await jobEnqueue(tx, job);
    const beside = await sbomsBeside(tx.db, { ...name, formats: image ? formats : sbomFormats });
    const gone = beside.filter(
      ({ pushedBy, digest }) => pushedBy === sbomActor && !(image && current.has(digest)),
    );
    if (gone.length === 0) return;
    const repository = await repositoryForChange(tx, name.repository);
    const taking = { repository, actor: sbomActor, cause: null };
    const isGone = ({ id }: { id: number }) => gone.some((one) => one.id === id);
    await referrersTake(tx, taking, { subject: name.digest, isMeant: isGone });
  });
}

async function* inPieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes);
}
