/**
 * The oracle: what was acknowledged to whom, and so what must, may or must not be. It knows only what clients were told;
 * what a call did whose answer never came, it holds for possible.
 */
import type { Mark } from '../../src/records/marks/quarantines.ts';
import { type Operation, Violation } from './scheduler.ts';
import { layerOf, nameOfDigest, type Pushable, pushables } from './universe.ts';

/** `expected`: it was acknowledged, and nobody has begun to take it away since. */
interface Entry {
  status: 'unknown' | 'expected';
  /** Of a blob that nothing names: how long it was promised for. */
  untilMs: number;
  /** Changes with whatever may change it: a reader who sees the same twice knows that nothing happened between. */
  version: number;
  readonly arriving: Set<Arrival>;
  leaving: number;
}

export interface Arrival {
  readonly key: string;
  /** Somebody began to take it away meanwhile: who came last is not known. */
  contested: boolean;
}

export interface ModelQuarantine {
  /** The scan that it came from: unique. */
  readonly cause: string;
  readonly scopeAccount: string | null;
  readonly marks: readonly Mark[];
  /** `possible`: asked for, never answered. `ending`: its release was asked for. */
  state: 'possible' | 'active' | 'ending' | 'released';
}

interface Place {
  readonly name: string;
  readonly account: string;
}

export class Model {
  readonly quarantines: ModelQuarantine[] = [];
  /** Changes with every quarantine that begins or ends. */
  quarantineVersion = 0;
  /** Digests of layers whose inspection the home region knows: refreshed after every step. */
  inspected: ReadonlySet<string> = new Set();
  /** Digests of manifests that the home region has in any repository: refreshed after every step. */
  manifestsHere: ReadonlySet<string> = new Set();
  readonly #entries = new Map<string, Entry>();

  entry(key: string): Entry {
    const known = this.#entries.get(key);
    if (known) return known;
    const fresh: Entry = { status: 'unknown', untilMs: 0, version: 0, arriving: new Set(), leaving: 0 };
    this.#entries.set(key, fresh);
    return fresh;
  }

  /** A push of it begins. */
  arrives(op: Operation, key: string): Arrival {
    const entry = this.entry(key);
    const arrival = { key, contested: entry.leaving > 0 };
    entry.arriving.add(arrival);
    entry.version += 1;
    op.onDeath.add(() => this.arrivalEnded(arrival));
    return arrival;
  }

  /** Acknowledged. */
  arrived(arrival: Arrival, untilMs = Number.POSITIVE_INFINITY): void {
    const entry = this.entry(arrival.key);
    if (!entry.arriving.delete(arrival)) return;
    entry.version += 1;
    if (arrival.contested) entry.status = 'unknown';
    else {
      entry.status = 'expected';
      entry.untilMs = untilMs;
    }
  }

  /** Failed, or never answered. */
  arrivalEnded(arrival: Arrival): void {
    const entry = this.entry(arrival.key);
    entry.version += 1;
    entry.arriving.delete(arrival);
  }

  /** Somebody begins to take it away. @returns to be called when that has ended, well or badly */
  leaves(op: Operation, key: string): () => void {
    this.uncertain(key);
    const entry = this.entry(key);
    entry.leaving += 1;
    let open = true;
    const end = () => {
      if (open) entry.leaving -= 1;
      open = false;
    };
    op.onDeath.add(end);
    return end;
  }

  /** It may have gone for a reason that is allowed. */
  uncertain(key: string): void {
    const entry = this.entry(key);
    entry.version += 1;
    entry.status = 'unknown';
    for (const arrival of entry.arriving) arrival.contested = true;
  }

  /** What it was promised for is over once and for all, also if the time of day is set back later. */
  isExpected(key: string, nowMs: number): boolean {
    const entry = this.#entries.get(key);
    if (entry?.status === 'expected' && entry.untilMs <= nowMs) entry.status = 'unknown';
    return entry?.status === 'expected';
  }

  expectedKeys(nowMs: number): string[] {
    return [...this.#entries.keys()].filter((key) => this.isExpected(key, nowMs));
  }

  quarantineChanged(quarantine: ModelQuarantine, state: ModelQuarantine['state']): void {
    quarantine.state = state;
    this.quarantineVersion += 1;
  }

  /** Quarantines by which content must be refused now. */
  refusing(reaches: (quarantine: ModelQuarantine) => boolean): ModelQuarantine[] {
    return this.quarantines.filter((each) => each.state === 'active' && reaches(each));
  }

  /** Whether some quarantine may refuse it now. */
  mayBeRefused(place: Place, digests: readonly string[]): boolean {
    return this.quarantines.some(
      (each) =>
        each.state !== 'released' && inScope(each, place) && digests.some((digest) => mayReach(each, digest)),
    );
  }
}

export const manifestKey = (repository: string, digest: string) => `manifest ${repository} ${digest}`;
export const tagKey = (repository: string, tag: string, digest: string) =>
  `tag ${repository} ${tag} ${digest}`;
export const blobKey = (repository: string, digest: string) => `blob ${repository} ${digest}`;

/** Whether it binds there. The marks of one quarantine are of one kind here, and the globs are whole names. */
export function inScope(
  { scopeAccount, marks }: Pick<ModelQuarantine, 'scopeAccount' | 'marks'>,
  { name, account }: Place,
): boolean {
  const isThere = marks.every(({ repositoryGlob }) => repositoryGlob === null || repositoryGlob === name);
  return isThere && (scopeAccount === null || scopeAccount === account);
}

/** In the repositories where it binds everything is reached. */
function marksRepository({ marks }: Pick<ModelQuarantine, 'marks'>): boolean {
  return marks.some((mark) => mark.target === 'repository');
}

/** Whether the marks name this blob or manifest, or anything below it, by whatever name. */
export function mayReach(quarantine: Pick<ModelQuarantine, 'marks'>, digest: string): boolean {
  if (marksRepository(quarantine)) return true;
  const { marks } = quarantine;
  const pushable = pushables.find((each) => each.manifest.digest === digest);
  if (pushable) return below(pushable).some((each) => names(marks, each));
  return names(marks, digest);
}

/** Whether a blob is certainly reached: by its digest, or by a diff id that an inspection of it has found. */
export function reachesBlob(
  quarantine: Pick<ModelQuarantine, 'marks'>,
  digest: string,
  inspected: boolean,
): boolean {
  if (marksRepository(quarantine)) return true;
  return quarantine.marks.some(
    (mark) => mark.digest === digest || (inspected && mark.diffId === (layerOf(digest)?.diffId ?? '')),
  );
}

/** Whether a manifest is certainly reached. Of an index: itself, or all of its children that are here, if there is one. */
export function reachesManifest(
  quarantine: Pick<ModelQuarantine, 'marks'>,
  pushable: Pushable,
  here: ReadonlySet<string>,
): boolean {
  if (marksRepository(quarantine) || namesManifest(quarantine, pushable)) return true;
  if (pushable.kind === 'image')
    return [pushable.config, ...pushable.layers].some((each) => names(quarantine.marks, each.digest));
  const present = pushable.children.filter((child) => here.has(child.manifest.digest));
  return present.length > 0 && present.every((child) => reachesManifest(quarantine, child, here));
}

/** Whether a push of it names, at any depth, what is reached. */
export function reachesPush(
  quarantine: Pick<ModelQuarantine, 'marks'>,
  pushable: Pushable,
  here: ReadonlySet<string>,
): boolean {
  if (marksRepository(quarantine) || namesManifest(quarantine, pushable)) return true;
  if (pushable.kind === 'image') return reachesManifest(quarantine, pushable, here);
  return pushable.children
    .filter((child) => here.has(child.manifest.digest))
    .some((child) => reachesPush(quarantine, child, here));
}

/** P2: what started under an acknowledged quarantine, and ended under it, must not have been let through. */
export function assertRefused(model: Model, before: readonly ModelQuarantine[], what: string): void {
  const still = before.find((each) => model.quarantines.includes(each) && each.state === 'active');
  if (still)
    throw new Violation(
      `P2: ${what} although the quarantine of ${still.cause} (${still.marks.map((mark) => nameOfDigest(mark.digest ?? '')).join(', ')}) was acknowledged before`,
    );
}

function namesManifest({ marks }: Pick<ModelQuarantine, 'marks'>, { manifest }: Pushable): boolean {
  return marks.some((mark) => mark.digest === manifest.digest);
}

function names(marks: readonly Mark[], digest: string): boolean {
  const diffId = layerOf(digest)?.diffId;
  return marks.some((mark) => mark.digest === digest || (diffId !== undefined && mark.diffId === diffId));
}

/** The digests of all that a manifest needs, itself included. */
export function below(pushable: Pushable): readonly string[] {
  const own = [pushable.manifest.digest];
  return pushable.kind === 'image'
    ? [...own, pushable.config.digest, ...pushable.layers.map((each) => each.digest)]
    : [...own, ...pushable.children.flatMap(below)];
}
