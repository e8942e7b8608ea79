import { LazaretError } from '../../lib/errors.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { type Manifest, parseManifest } from '../../oci/manifest.ts';
import { isIndexMediaType, isManifestMediaType, isNonDistributable } from '../../oci/media-types.ts';
import { parseTag } from '../../oci/reference.ts';
import type { ByteBudget } from './byte-budget.ts';
import type { PlannedBlob, PlannedManifest, RepositoryPlan } from './import-plan.ts';
import { type Differences, type Kind, lackOf, RepositoryTally, type Why } from './import-report.ts';
import type { SourceManifest, SourceRepository } from './import-source.ts';
import type { ImportTarget } from './import-target.ts';
import { forEachBounded, type Requests } from './requests.ts';

export interface PlanDeps {
  readonly target: ImportTarget;
  readonly requests: Requests;
  readonly jobs: number;
  readonly differences: Differences;
  readonly budget: ByteBudget;
  readonly selection: {
    readonly tags: (tag: string) => boolean;
    readonly untagged: boolean;
    /** The tag that the one image gets. */
    readonly renamed: string | undefined;
  };
}

/**
 * Looks at everything of one repository: from its tags, and what has none, to the children of indexes, to what refers to
 * them, to blobs. What the destination has as a whole image is not looked into: it took it only with its blobs.
 */
export async function planRepository(
  deps: PlanDeps,
  source: SourceRepository,
  name: string,
): Promise<RepositoryPlan> {
  const look = new RepositoryLook(deps, source, name);
  await look.all();
  return { source, name, tally: look.tally, manifests: look.manifests, blobs: look.blobs };
}

class RepositoryLook {
  readonly tally: RepositoryTally;
  readonly manifests = new Map<Digest, PlannedManifest>();
  readonly blobs = new Map<Digest, PlannedBlob>();
  readonly #deps: PlanDeps;
  readonly #source: SourceRepository;
  readonly #name: string;
  readonly #visited = new Map<Digest, Promise<void>>();
  readonly #asked = new Map<Digest, Promise<void>>();
  /** Looked at when the others are done: what refers to a manifest may also name it as a child. */
  readonly #referrersLeft = new Set<Digest>();

  constructor(deps: PlanDeps, source: SourceRepository, name: string) {
    this.#deps = deps;
    this.#source = source;
    this.#name = name;
    this.tally = new RepositoryTally(name);
  }

  async all(): Promise<void> {
    const { selection, jobs } = this.#deps;
    const listing = await this.#request(() => this.#source.list());
    for (const { what, problem } of listing.problems)
      this.#lacking(undefined, what, { lack: 'absent', reason: problem });
    const tags = listing.tags.filter(selection.tags);
    const untagged = selection.untagged ? listing.untagged : [];
    if (selection.renamed !== undefined && tags.length + (tags.length === 0 ? untagged.length : 0) !== 1)
      throw new LazaretError(
        'invalid',
        `DEST has a tag, and the source has ${tags.length}: leave it out, or choose one`,
      );
    await forEachBounded(tags, jobs, (tag) => this.#tag(tag));
    await forEachBounded(untagged, jobs, (digest) => this.#root(digest));
    while (this.#referrersLeft.size > 0) {
      const referrers = [...this.#referrersLeft];
      this.#referrersLeft.clear();
      await forEachBounded(
        referrers,
        jobs,
        async (digest) => void (await this.#manifest(digest, undefined, `referrer ${digest}`)),
      );
    }
  }

  async #tag(tag: string): Promise<void> {
    await this.#orLacking(`tag ${tag}`, 'tag', async () => {
      parseTag(tag);
      const manifest = await this.#request(() => this.#source.manifest(tag));
      if (manifest === undefined) return this.#lacking('tag', `tag ${tag}`, noManifest);
      await this.#visit(manifest, undefined);
      await this.#tagged(this.#deps.selection.renamed ?? tag, manifest.digest);
    });
  }

  async #root(digest: Digest): Promise<void> {
    await this.#manifest(digest, undefined, `manifest ${digest}`);
    const { renamed } = this.#deps.selection;
    if (renamed !== undefined) await this.#tagged(renamed, digest);
  }

  async #tagged(tag: string, digest: Digest): Promise<void> {
    const at = await this.#request(() => this.#deps.target.manifest(this.#name, tag));
    if (at === digest) return this.tally.count('tag', 'present');
    const planned = this.manifests.get(digest);
    if (planned !== undefined) planned.tags.push(tag);
    else
      this.#lacking('tag', `tag ${tag}`, {
        lack: 'damaged',
        reason: `its manifest ${digest} can't be copied`,
      });
  }

  /** @returns whether the source has it */
  async #manifest(digest: Digest, mediaType: string | undefined, what: string): Promise<boolean> {
    let found = false;
    await this.#orLacking(what, 'manifest', async () => {
      const manifest = await this.#request(() => this.#source.manifest(digest));
      if (manifest === undefined) return this.#lacking('manifest', what, noManifest);
      found = true;
      await this.#visit(manifest, mediaType);
    });
    return found;
  }

  #visit(manifest: SourceManifest, mediaType: string | undefined): Promise<void> {
    const visit = this.#visited.get(manifest.digest) ?? this.#look(manifest, mediaType);
    this.#visited.set(manifest.digest, visit);
    return visit;
  }

  async #look(manifest: SourceManifest, mediaType: string | undefined): Promise<void> {
    const { digest, bytes } = manifest;
    const parsed = parseManifest(bytes, typeOf(manifest.contentType) ?? typeOf(mediaType));
    const kind = parsed.subject === undefined ? 'manifest' : 'referrer';
    const { there, refused } = await this.#standing(digest);
    const { children, blobs } = await this.#parts(parsed, there, refused !== undefined);
    if (there) this.tally.count(kind, 'present');
    const kept = !there && this.#deps.budget.take(bytes.length) ? bytes : undefined;
    this.manifests.set(digest, {
      digest,
      kind,
      mediaType: parsed.mediaType,
      bytes: kept,
      there,
      refused,
      blobs,
      children,
      tags: [],
    });
    await this.#referrers(digest);
  }

  async #standing(digest: Digest): Promise<{ there: boolean; refused: string | undefined }> {
    try {
      const found = await this.#request(() => this.#deps.target.manifest(this.#name, digest));
      return { there: found !== undefined, refused: undefined };
    } catch (error) {
      const { lack, reason } = lackOf(error);
      if (lack !== 'refused') throw error;
      return { there: false, refused: reason };
    }
  }

  async #parts(manifest: Manifest, there: boolean, refused: boolean) {
    if (refused) return { children: [], blobs: [] };
    if (manifest.kind === 'image') {
      const blobs = [
        ...new Map([manifest.config, ...manifest.layers].map((blob) => [blob.digest, blob])).values(),
      ];
      await Promise.all(blobs.map((blob) => this.#blob(blob, there)));
      return { children: [], blobs: blobs.map((blob) => blob.digest) };
    }
    const isManifest = ({ mediaType }: Descriptor) =>
      isManifestMediaType(mediaType) || isIndexMediaType(mediaType);
    const children: Digest[] = [];
    for (const child of manifest.manifests.filter(isManifest)) {
      if (await this.#manifest(child.digest, child.mediaType, `manifest ${child.digest}`))
        children.push(child.digest);
    }
    const others = manifest.manifests.filter((child) => !isManifest(child));
    await Promise.all(others.map((blob) => this.#blob(blob, there)));
    return { children, blobs: others.map((blob) => blob.digest) };
  }

  async #referrers(digest: Digest): Promise<void> {
    await this.#orLacking(`referrers of ${digest}`, undefined, async () => {
      for (const referrer of await this.#request(() => this.#source.referrers(digest)))
        if (!this.#visited.has(referrer.digest)) this.#referrersLeft.add(referrer.digest);
    });
  }

  #blob(blob: Descriptor, there: boolean): Promise<void> {
    const asked = this.#asked.get(blob.digest) ?? this.#planBlob(blob, there);
    this.#asked.set(blob.digest, asked);
    return asked;
  }

  async #planBlob(blob: Descriptor, there: boolean): Promise<void> {
    const { digest, size: sizeBytes } = blob;
    const planned = await this.#blobState(blob, there).catch((error: unknown) => lacking(lackOf(error)));
    this.blobs.set(digest, { digest, sizeBytes, ...planned });
    if (planned.state === 'there') this.tally.count('blob', 'present');
    if (planned.state === 'foreign') this.tally.foreign += 1;
    if (planned.why !== undefined) this.#lacking('blob', `blob ${digest}`, planned.why);
  }

  async #blobState({ digest, size, mediaType }: Descriptor, there: boolean): Promise<BlobState> {
    if (there || (await this.#request(() => this.#deps.target.hasBlob(this.#name, digest))))
      return { state: 'there', why: undefined };
    const found = await this.#request(() => this.#source.blobSize(digest));
    if (found === size) return { state: 'toCopy', why: undefined };
    if (found !== undefined)
      return lacking({
        lack: 'damaged',
        reason: `it has ${found} bytes at the source, and should have ${size}`,
      });
    if (isNonDistributable(mediaType)) return { state: 'foreign', why: undefined };
    return lacking({ lack: 'absent', reason: 'it is not at the source' });
  }

  #request<T>(work: () => Promise<T>): Promise<T> {
    return this.#deps.requests.run(work);
  }

  async #orLacking(what: string, kind: Kind | undefined, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#lacking(kind, what, lackOf(error));
    }
  }

  #lacking(kind: Kind | undefined, what: string, why: Why): void {
    if (kind !== undefined) this.tally.count(kind, 'lacking');
    this.#deps.differences.add({ repository: this.#name, what, ...why });
  }
}

const noManifest: Why = { lack: 'absent', reason: 'the manifest is not at the source' };

type BlobState = Pick<PlannedBlob, 'state' | 'why'>;

function lacking(why: Why): BlobState {
  return { state: 'lacking', why };
}

/** What is no type of a manifest says nothing: some servers say `text/plain`. */
function typeOf(said: string | undefined): string | undefined {
  return said !== undefined && (isManifestMediaType(said) || isIndexMediaType(said)) ? said : undefined;
}
