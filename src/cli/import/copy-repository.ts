import { blobStat } from '../../client/distribution-pull.ts';
import { manifestPush } from '../../client/distribution-push.ts';
import { hasCode, LazaretError } from '../../lib/errors.ts';
import type { SerialByKey } from '../../lib/serial-by-key.ts';
import type { Digest } from '../../oci/digest.ts';
import { type BringDeps, bringBlob } from './bring-blob.ts';
import type { PlannedBlob, PlannedManifest, RepositoryPlan } from './import-plan.ts';
import { type Differences, lackOf, type Why } from './import-report.ts';
import { forEachBounded, type Requests } from './requests.ts';

export interface CopyDeps extends BringDeps {
  readonly requests: Requests;
  readonly jobs: number;
  readonly differences: Differences;
  /** Nothing is sent: what would be is counted. */
  readonly dryRun: boolean;
  /** Which repository of the destination has a blob by now. */
  readonly homes: Map<Digest, string>;
  /** One blob is sent once, and mounted in the other repositories. */
  readonly blobsInTurn: SerialByKey;
  readonly events: CopyEvents;
}

export interface CopyEvents {
  /** How much of a blob has been sent; less than before when a part of it was lost. */
  readonly position: (digest: Digest, bytes: number) => void;
  readonly blobDone: (digest: Digest, sizeBytes: number) => void;
  readonly imageDone: (repository: string, manifest: PlannedManifest, why: Why | undefined) => void;
}

/** Does what the plan says: blobs, then what names them, children before indexes, tags with their manifest. */
export async function copyRepository(deps: CopyDeps, plan: RepositoryPlan): Promise<void> {
  const copy = new RepositoryCopy(deps, plan);
  await forEachBounded(
    plan.manifests.keys(),
    deps.jobs,
    async (digest) => void (await copy.manifest(digest)),
  );
}

class RepositoryCopy {
  readonly #deps: CopyDeps;
  readonly #plan: RepositoryPlan;
  readonly #manifests = new Map<Digest, Promise<Why | undefined>>();
  readonly #blobs = new Map<Digest, Promise<Why | undefined>>();

  constructor(deps: CopyDeps, plan: RepositoryPlan) {
    this.#deps = deps;
    this.#plan = plan;
  }

  /** @returns why it is not at the destination */
  manifest(digest: Digest): Promise<Why | undefined> {
    const known = this.#manifests.get(digest);
    if (known !== undefined) return known;
    const planned = this.#plan.manifests.get(digest);
    const copied = planned === undefined ? Promise.resolve(undefined) : this.#manifest(planned);
    this.#manifests.set(digest, copied);
    return copied;
  }

  async #manifest(manifest: PlannedManifest): Promise<Why | undefined> {
    const why = await this.#brought(manifest);
    const { digest, kind, there, tags } = manifest;
    const { tally, name } = this.#plan;
    const became = why === undefined ? 'copied' : 'lacking';
    if (!there) tally.count(kind, became);
    if (!there && why !== undefined) this.#differs(`${kind} ${digest}`, why);
    for (const tag of tags) {
      tally.count('tag', became);
      if (why !== undefined) this.#differs(`tag ${tag}`, why);
    }
    if (!this.#deps.dryRun && (!there || tags.length > 0)) this.#deps.events.imageDone(name, manifest, why);
    return why;
  }

  async #brought(manifest: PlannedManifest): Promise<Why | undefined> {
    const { there, refused, tags } = manifest;
    if (refused !== undefined) return { lack: 'refused', reason: refused };
    const missing = await this.#parts(manifest);
    if (missing !== undefined) return missing;
    if ((there && tags.length === 0) || this.#deps.dryRun) return undefined;
    try {
      await this.#put(manifest);
    } catch (error) {
      return hasCode(error, 'manifestBlobUnknown') ? this.#onceMore(manifest) : lackOf(error);
    }
    return undefined;
  }

  async #put({ digest, mediaType, bytes, tags }: PlannedManifest): Promise<void> {
    const { requests, session, signal } = this.#deps;
    const { name: repository, source } = this.#plan;
    const read = async () => bytes ?? (await source.manifest(digest))?.bytes;
    await requests.run(async () => {
      const body = await read();
      if (body === undefined) throw new LazaretError('blobUnknown', 'the manifest went from the source');
      await manifestPush(session, { repository, digest, mediaType, bytes: body, tags, signal });
    });
  }

  /** A blob that was there when it was looked at may have been collected since. */
  async #onceMore(manifest: PlannedManifest): Promise<Why | undefined> {
    const { requests, session, signal } = this.#deps;
    const { name: repository, blobs } = this.#plan;
    try {
      for (const digest of manifest.blobs) {
        const planned = blobs.get(digest);
        if (planned?.state !== 'there') continue;
        await requests.run(async () => {
          if ((await blobStat(session, { repository, digest, signal })) === undefined)
            await this.#bring(planned);
        });
      }
      await this.#put(manifest);
    } catch (error) {
      return lackOf(error);
    }
    return undefined;
  }

  /** A child that could not be brought is the server's to judge: it may take an index without it. */
  async #parts({ children, blobs, there }: PlannedManifest): Promise<Why | undefined> {
    const [lackingChildren, lackingBlobs] = await Promise.all([
      Promise.all(children.map((child) => this.manifest(child))),
      there ? [] : Promise.all(blobs.map((blob) => this.#blob(blob))),
    ]);
    const at = lackingBlobs.findIndex((why) => why !== undefined);
    const lacking = lackingBlobs[at];
    if (lacking !== undefined)
      return { lack: lacking.lack, reason: `needs blob ${blobs[at]}: ${lacking.reason}` };
    const failed = lackingChildren.findIndex((why) => why?.lack === 'failed');
    if (failed !== -1) return { lack: 'failed', reason: `needs manifest ${children[failed]}, which failed` };
    const refused = lackingChildren.find((why) => why?.lack === 'refused');
    return this.#deps.dryRun ? refused : undefined;
  }

  #blob(digest: Digest): Promise<Why | undefined> {
    const known = this.#blobs.get(digest);
    if (known !== undefined) return known;
    const planned = this.#plan.blobs.get(digest);
    const copied = planned === undefined ? Promise.resolve(undefined) : this.#blobCopied(planned);
    this.#blobs.set(digest, copied);
    return copied;
  }

  async #blobCopied(blob: PlannedBlob): Promise<Why | undefined> {
    const { homes, blobsInTurn, requests } = this.#deps;
    const { tally, name } = this.#plan;
    if (blob.state === 'there') homes.set(blob.digest, name);
    if (blob.state !== 'toCopy') return blob.why;
    try {
      const became = await blobsInTurn.run(blob.digest, () => requests.run(() => this.#bring(blob)));
      tally.count('blob', 'copied');
      if (became === 'mounted') tally.mounted += 1;
      else tally.copiedBytes += blob.sizeBytes;
      return undefined;
    } catch (error) {
      const why = lackOf(error);
      tally.count('blob', 'lacking');
      this.#differs(`blob ${blob.digest}`, why);
      return why;
    }
  }

  async #bring({ digest, sizeBytes }: PlannedBlob): Promise<'copied' | 'mounted'> {
    const { homes, dryRun, events } = this.#deps;
    const { name: repository, source } = this.#plan;
    const home = homes.get(digest);
    const from = home === repository ? undefined : home;
    const blob = {
      repository,
      digest,
      sizeBytes,
      from,
      open: (offset: number) => source.blob(digest, offset),
      onPosition: (bytes: number) => events.position(digest, bytes),
    };
    const planned = from === undefined ? 'copied' : 'mounted';
    const became = dryRun ? planned : await bringBlob(this.#deps, blob);
    homes.set(digest, repository);
    events.blobDone(digest, sizeBytes);
    return became;
  }

  #differs(what: string, why: Why): void {
    this.#deps.differences.add({ repository: this.#plan.name, what, ...why });
  }
}
