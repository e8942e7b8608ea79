import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import type { RepositoryName } from '../../oci/reference.ts';
import {
  manifestBody,
  manifestInRepository,
  type RepositoryManifest,
  type TagOrDigest,
} from '../../records/catalog/manifests.ts';
import type { Database } from '../../records/db/database.ts';
import {
  assertOpen,
  awaitsInspection,
  type Refusal,
  refusalOfManifest,
  refusedChildren,
} from '../../records/marks/door.ts';

/**
 * The doors of a manifest. A HEAD by tag is what clients begin with, and they take any status but 200 and 404 for a
 * fault of the registry; so a reached image is there for whoever only pulls (who then meets the reason at the GET), and
 * not there for whoever may push (whose PUT meets it). distribution-spec, "Pulling manifests".
 */
export interface ManifestName {
  readonly repository: RepositoryName;
  readonly reference: TagOrDigest;
}

export interface ManifestStat {
  readonly mediaType: string;
  /** As it was asked for; of a tag as it was pushed. */
  readonly digest: string;
  readonly sizeBytes: number;
  /** A quarantine reaches it, and only its being here is told. */
  readonly reached: boolean;
  /** Each one text for a header `Warning: 299 - "…"`. */
  readonly warnings: readonly string[];
}

type Deps = { readonly database: Database; readonly clock: Clock };

/** @throws manifestUnknown, quarantined */
export async function manifestGet(
  deps: Deps,
  name: ManifestName,
): Promise<ManifestStat & { body: Uint8Array }> {
  const { manifest, refusal } = await manifestDecided(deps, name);
  assertOpen(refusal);
  const body = await manifestBody(deps.database.read, manifest.id);
  if (!body) throw manifestUnknown(name);
  return { ...statOf(manifest), warnings: await childWarnings(deps, manifest), body };
}

/**
 * @param ask.mayPush whether the caller's token lets it push to the repository
 * @throws manifestUnknown; quarantined only for a digest
 */
export async function manifestHead(
  deps: Deps,
  ask: ManifestName & { mayPush: boolean },
): Promise<ManifestStat> {
  const { manifest, refusal } = await manifestDecided(deps, ask);
  const stat = statOf(manifest);
  if (!refusal) return { ...stat, warnings: await childWarnings(deps, manifest) };
  if ('digest' in ask.reference) assertOpen(refusal);
  if (ask.mayPush) throw manifestUnknown(ask);
  return { ...stat, reached: true, warnings: [`quarantined (${refusal.quarantine}): ${refusal.reason}`] };
}

/** After a running inspection that decides whether the image is spared, for which it waits for a while. */
async function manifestDecided(deps: Deps, name: ManifestName) {
  const { database, clock } = deps;
  const untilMs = clock.bootMs() + limits.inspectionAwaitMs;
  for (;;) {
    const found = await manifestFound(deps, name);
    if (found.refusal?.reach !== 'image' || clock.bootMs() >= untilMs) return found;
    if (!(await awaitsInspection(database.read, found.manifest.id, clock.wallMs()))) return found;
    await clock.sleep(limits.inspectionLookMs);
  }
}

/** In service, or withdrawn and still reached by a mark. @throws manifestUnknown */
async function manifestFound(
  { database }: Pick<Deps, 'database'>,
  name: ManifestName,
): Promise<{ manifest: RepositoryManifest; refusal: Refusal | undefined }> {
  const manifest = await manifestInRepository(database.read, {
    repository: name.repository.name,
    reference: name.reference,
  });
  if (!manifest || manifest.deletedAt !== null) throw manifestUnknown(name);
  const scope = { repository: manifest.repository.name, account: manifest.repository.account };
  const refusal = await refusalOfManifest(database.read, scope, manifest.id);
  if (manifest.withdrawnAt !== null && !refusal) throw manifestUnknown(name);
  return { manifest, refusal };
}

async function childWarnings(
  { database }: Pick<Deps, 'database'>,
  manifest: RepositoryManifest,
): Promise<string[]> {
  if (manifest.kind !== 'index') return [];
  const scope = { repository: manifest.repository.name, account: manifest.repository.account };
  const refused = await refusedChildren(database.read, scope, manifest.id);
  return refused.map((digest) => `quarantined and not served: ${digest}`);
}

function statOf({ mediaType, named, sizeBytes }: RepositoryManifest): Omit<ManifestStat, 'warnings'> {
  return { mediaType, digest: named, sizeBytes, reached: false };
}

function manifestUnknown({ repository, reference }: ManifestName): LazaretError {
  const named = 'digest' in reference ? reference.digest : reference.tag;
  return new LazaretError('manifestUnknown', `${repository.name} has no manifest ${named}`, {
    detail: { reference: named },
  });
}
