import { globMatcher } from '../../lib/globs.ts';
import type { RetentionRule } from './rules.ts';

/**
 * Which references retention takes from a repository, decided from rows alone.
 *
 * Each rule that is about a thing keeps it or lets it go; it goes if a rule lets it go and none keeps it, so *keep wins*
 * whatever the order of the rules. What is quarantined, held or was brought back from the trash stays before any rule is asked. A rule is about tags if it
 * has a keep criterion for them, and about untagged manifests if it says how long they stay: a rule without either
 * removes nothing. Taking the last tag away leaves an untagged manifest, whose time begins then.
 *
 * An untagged manifest stays while an index in service names it, and as long as what it refers to: it goes with its
 * subject.
 */
export interface RetentionFacts {
  readonly tags: readonly TagFact[];
  /** In service. */
  readonly manifests: readonly ManifestFact[];
}

export interface TagFact {
  readonly name: string;
  readonly digest: string;
  /** When it was last set; milliseconds since 1970, as all times here. */
  readonly setAt: number;
  /** A person brought it back from the trash, and it was not set since: that outranks the rules. */
  readonly restored: boolean;
  /** The rule that lets it neither be moved nor taken away. */
  readonly immutableBy?: string | undefined;
}

export interface ManifestFact {
  readonly id: number;
  readonly digest: string;
  readonly pushedAt: number;
  readonly pulledAt: number | null;
  /** When a tag last left it, or an index that names it went. */
  readonly untaggedAt: number | null;
  /** The digests of those children and of that subject that the repository has. */
  readonly children: readonly string[];
  readonly subject: string | null;
  /** `pin sam`, `deployment shop`. */
  readonly heldBy: string | null;
  /** `Q-17` */
  readonly quarantine: string | null;
}

export interface RetentionItem {
  /** null: a manifest without one. */
  readonly tag: string | null;
  readonly digest: string;
  readonly verdict: 'stays' | 'goes';
  readonly reason: RetentionReason;
  /** The rule that decided. */
  readonly rule: string | null;
  /** The quarantine, holder, index or subject that decided. */
  readonly by: string | null;
}

export type RetentionReason =
  | 'noRule'
  | 'quarantined'
  | 'held'
  | 'restored'
  | 'keepTags'
  | 'keepLatest'
  | 'keepPushed'
  | 'keepPulled'
  | 'notKept'
  | 'childOfIndex'
  | 'referrer'
  | 'untaggedNotYet'
  | 'untaggedTooLong'
  | 'withSubject';

type Decision = Omit<RetentionItem, 'tag' | 'digest'>;

/** @param rules those that are over the repository */
export function retentionVerdict(
  facts: RetentionFacts,
  rules: readonly RetentionRule[],
  nowMs: number,
): RetentionItem[] {
  const world = { ...worldOf(facts), rules: compiled(rules, facts), nowMs };
  const tagged = new Set(facts.tags.map((tag) => tag.digest));
  const decided = new Map<string, Decision>();
  return [
    ...facts.tags.map((tag) => ({ tag: tag.name, digest: tag.digest, ...tagDecision(world, tag) })),
    ...facts.manifests
      .filter(({ digest }) => !tagged.has(digest))
      .map((manifest) => ({
        tag: null,
        digest: manifest.digest,
        ...manifestDecision({ ...world, tagged, decided }, manifest),
      })),
  ];
}

interface World {
  readonly manifests: ReadonlyMap<string, ManifestFact>;
  /** An index that names the manifest. */
  readonly indexOf: ReadonlyMap<string, string>;
  readonly rules: readonly CompiledRule[];
  readonly nowMs: number;
}

function worldOf({ manifests }: RetentionFacts): Pick<World, 'manifests' | 'indexOf'> {
  return {
    manifests: new Map(manifests.map((manifest) => [manifest.digest, manifest])),
    indexOf: new Map(
      manifests.flatMap((manifest) => manifest.children.map((child) => [child, manifest.digest] as const)),
    ),
  };
}

interface CompiledRule {
  readonly rule: RetentionRule;
  readonly isAbout: (tag: string) => boolean;
  readonly alwaysKeeps: (tag: string) => boolean;
  readonly latest: ReadonlySet<string>;
}

function compiled(rules: readonly RetentionRule[], facts: RetentionFacts): CompiledRule[] {
  const quarantined = new Set(
    facts.manifests.filter(({ quarantine }) => quarantine !== null).map(({ digest }) => digest),
  );
  // What is quarantined does not count as one of the latest: the latest that can be pulled are meant.
  const candidates = facts.tags
    .filter((tag) => !quarantined.has(tag.digest))
    .sort((a, b) => b.setAt - a.setAt || (a.name < b.name ? 1 : -1));
  return rules.map((rule) => {
    const isAbout = rule.tags.length === 0 ? () => true : anyOf(rule.tags);
    const latest = candidates.filter((tag) => isAbout(tag.name)).slice(0, rule.keepLatest ?? 0);
    return {
      rule,
      isAbout,
      alwaysKeeps: anyOf(rule.keepTags),
      latest: new Set(latest.map((tag) => tag.name)),
    };
  });
}

function anyOf(globs: readonly string[]): (text: string) => boolean {
  const matchers = globs.map(globMatcher);
  return (text) => matchers.some((matches) => matches(text));
}

function tagDecision(world: World, tag: TagFact): Decision {
  const manifest = world.manifests.get(tag.digest);
  const kept = manifest && outsideRules(world, manifest);
  if (kept) return kept;
  if (tag.immutableBy !== undefined) return stays('keepTags', { rule: tag.immutableBy });
  if (tag.restored) return stays('restored');
  const pulledAt = Math.max(manifest?.pulledAt ?? 0, tag.setAt);
  const within = (at: number, ms: number | null) => ms !== null && at > world.nowMs - ms;
  let letGo: string | null = null;
  for (const { rule, isAbout, alwaysKeeps, latest } of world.rules) {
    if (alwaysKeeps(tag.name)) return stays('keepTags', { rule: rule.name });
    if (!isAbout(tag.name) || !decidesOnTags(rule)) continue;
    if (latest.has(tag.name)) return stays('keepLatest', { rule: rule.name });
    if (within(tag.setAt, rule.keepPushedMs)) return stays('keepPushed', { rule: rule.name });
    // Setting it counts as a pull: what is new has had no time to be pulled.
    if (within(pulledAt, rule.keepPulledMs)) return stays('keepPulled', { rule: rule.name });
    letGo ??= rule.name;
  }
  return letGo === null ? stays('noRule') : goes('notKept', { rule: letGo });
}

function decidesOnTags(rule: RetentionRule): boolean {
  return (
    rule.keepTags.length > 0 ||
    rule.keepLatest !== null ||
    rule.keepPushedMs !== null ||
    rule.keepPulledMs !== null
  );
}

type ManifestWorld = World & {
  readonly tagged: ReadonlySet<string>;
  /** What was decided before, by digest. */
  readonly decided: Map<string, Decision>;
};

function manifestDecision(world: ManifestWorld, manifest: ManifestFact): Decision {
  const known = world.decided.get(manifest.digest);
  if (known) return known;
  const decision = decideManifest(world, manifest);
  world.decided.set(manifest.digest, decision);
  return decision;
}

function decideManifest(world: ManifestWorld, manifest: ManifestFact): Decision {
  const kept = outsideRules(world, manifest);
  if (kept) return kept;
  const index = world.indexOf.get(manifest.digest);
  if (index !== undefined) return stays('childOfIndex', { by: index });
  const subject = manifest.subject === null ? undefined : world.manifests.get(manifest.subject);
  if (subject) {
    const its = world.tagged.has(subject.digest) ? stays('noRule') : manifestDecision(world, subject);
    return its.verdict === 'stays'
      ? stays('referrer', { by: subject.digest })
      : goes('withSubject', { rule: its.rule, by: subject.digest });
  }
  return untaggedDecision(world, manifest);
}

function untaggedDecision({ rules, nowMs }: World, manifest: ManifestFact): Decision {
  const since = Math.max(manifest.pushedAt, manifest.untaggedAt ?? 0);
  let letGo: string | null = null;
  for (const { rule } of rules) {
    if (rule.keepPulledMs !== null && (manifest.pulledAt ?? 0) > nowMs - rule.keepPulledMs)
      return stays('keepPulled', { rule: rule.name });
    if (rule.untaggedMs === null) continue;
    if (since > nowMs - rule.untaggedMs) return stays('untaggedNotYet', { rule: rule.name });
    letGo ??= rule.name;
  }
  return letGo === null ? stays('noRule') : goes('untaggedTooLong', { rule: letGo });
}

/** What no rule decides: also for the sake of what it needs, an index stays with a child that is held. */
function outsideRules(world: World, manifest: ManifestFact): Decision | undefined {
  if (manifest.quarantine !== null) return stays('quarantined', { by: manifest.quarantine });
  const heldBy = holderOf(world, manifest);
  return heldBy === null ? undefined : stays('held', { by: heldBy });
}

function holderOf(world: World, manifest: ManifestFact): string | null {
  if (manifest.heldBy !== null) return manifest.heldBy;
  for (const digest of manifest.children) {
    const child = world.manifests.get(digest);
    const holder = child ? holderOf(world, child) : null;
    if (holder !== null) return holder;
  }
  return null;
}

function stays(reason: RetentionReason, { rule = null, by = null }: Partial<Decision> = {}): Decision {
  return { verdict: 'stays', reason, rule, by };
}

function goes(reason: RetentionReason, { rule = null, by = null }: Partial<Decision> = {}): Decision {
  return { verdict: 'goes', reason, rule, by };
}
