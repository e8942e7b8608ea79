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
import type { AnswersAtHead } from '../../records/log/answers-at-head.ts';
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
 *
 * What is open is remembered as long as the log stands still (`AnswersAtHead`); a refusal is not, since it may be waiting
 * for an inspection. Nothing in an open answer ends by the clock.
 */
export interface ManifestName {
  readonly repository: RepositoryName;
  readonly reference: TagOrDigest;
  /** The log's head, if it was read in this request already. */
  readonly head?: number | undefined;
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

export interface OpenManifest extends ManifestStat {
  readonly body: Uint8Array;
}

export type OpenManifests = AnswersAtHead<OpenManifest>;

type Deps = {
  readonly database: Database;
  readonly clock: Clock;
  /** Of this process. Default: nothing is remembered. */
  readonly openManifests?: OpenManifests | undefined;
};

/** @throws manifestUnknown, quarantined */
export async function manifestGet(deps: Deps, name: ManifestName): Promise<OpenManifest> {
  const { openManifests } = deps;
  if (!openManifests) return manifestRead(deps, name);
  const head = name.head ?? (await deps.database.logHead());
  const key = keyOf(name);
  const known = openManifests.get(head, key);
  if (known) return known;
  const found = await manifestRead(deps, name);
  openManifests.keep(head, key, found, found.body.byteLength);
  return found;
}

/** If it was got since anything happened. */
async function manifestKnown(deps: Deps, name: ManifestName): Promise<OpenManifest | undefined> {
  return deps.openManifests?.get(name.head ?? (await deps.database.logHead()), keyOf(name));
}

/** @throws as `manifestGet` */
async function manifestRead(deps: Deps, name: ManifestName): Promise<OpenManifest> {
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
  const known = await manifestKnown(deps, ask);
  if (known) return known;
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

/** No name and no tag has a space. */
function keyOf({ repository, reference }: ManifestName): string {
  return `${repository.name} ${'digest' in reference ? reference.digest : reference.tag}`;
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
