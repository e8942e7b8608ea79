import { describe, expect, it } from 'vitest';
import type { RetentionRule } from './rules.ts';
import { type ManifestFact, type RetentionFacts, retentionVerdict } from './verdict.ts';

const day = 86_400_000;
const now = 1_000 * day;

function rule(terms: Partial<RetentionRule>): RetentionRule {
  return {
    name: 'R-1',
    account: 'acme',
    repositoryGlob: 'acme/*',
    tags: [],
    keepTags: [],
    keepLatest: null,
    keepPushedMs: null,
    keepPulledMs: null,
    untaggedMs: null,
    createdAt: 0,
    createdBy: 'jo',
    ...terms,
  };
}

/** Of so many days ago. */
function manifest(digest: string, facts: Partial<ManifestFact> & { age?: number } = {}): ManifestFact {
  const { age = 100, ...rest } = facts;
  return {
    id: 1,
    digest,
    pushedAt: now - age * day,
    pulledAt: null,
    untaggedAt: null,
    children: [],
    subject: null,
    heldBy: null,
    quarantine: null,
    ...rest,
  };
}

function tag(name: string, age: number, digest = name) {
  return { name, digest, setAt: now - age * day, restored: false };
}

/** `a goes notKept R-1`, one line per reference. */
function verdicts(facts: Partial<RetentionFacts>, rules: readonly RetentionRule[]): string[] {
  const { tags = [], manifests = tags.map(({ digest }) => manifest(digest)) } = facts;
  return retentionVerdict({ tags, manifests }, rules, now).map(
    ({ tag: name, digest, verdict, reason, rule: by }) =>
      [name ?? digest, verdict, reason, by].filter((part) => part !== null).join(' '),
  );
}

describe('a rule over tags', () => {
  const tags = [tag('v1', 40), tag('v2', 30), tag('v3', 20), tag('dev', 10)];

  it.each<[string, Partial<RetentionRule>, string[]]>([
    ['that keeps nothing removes nothing', {}, []],
    ['that only lets untagged manifests go removes none', { untaggedMs: 0 }, []],
    ['keeps the latest n', { keepLatest: 2 }, ['v1', 'v2']],
    ['keeps what was pushed within', { keepPushedMs: 25 * day }, ['v1', 'v2']],
    ['keeps what matches its globs, always', { keepTags: ['v*'] }, ['dev']],
    ['is about the tags that it names only', { tags: ['v*'], keepLatest: 1 }, ['v1', 'v2']],
    ['keeps by its globs also what it is not about', { tags: ['dev'], keepTags: ['v1'], keepLatest: 1 }, []],
    ['keeps by any of its criteria', { keepLatest: 1, keepPushedMs: 25 * day, keepTags: ['v1'] }, ['v2']],
  ])('%s', (_, terms, gone) => {
    const goes = verdicts({ tags }, [rule(terms)]).filter((line) => line.includes(' goes '));
    expect(goes).toEqual(gone.map((name) => `${name} goes notKept R-1`));
  });

  it('keeps what was pulled within, and what has had no time to be pulled', () => {
    const facts = {
      tags: [tag('pulled', 90), tag('stale', 90), tag('fresh', 1)],
      manifests: [manifest('pulled', { pulledAt: now - day }), manifest('stale'), manifest('fresh')],
    };
    expect(verdicts(facts, [rule({ keepPulledMs: 7 * day })])).toEqual([
      'pulled stays keepPulled R-1',
      'stale goes notKept R-1',
      'fresh stays keepPulled R-1',
    ]);
  });

  it('does not win against another that keeps, in whatever order', () => {
    const strict = rule({ name: 'R-1', keepLatest: 1 });
    const mild = rule({ name: 'R-2', keepTags: ['v1'] });
    for (const rules of [
      [strict, mild],
      [mild, strict],
    ])
      expect(verdicts({ tags }, rules)).toEqual([
        'v1 stays keepTags R-2',
        `v2 goes notKept ${rules[0]?.name}`,
        `v3 goes notKept ${rules[0]?.name}`,
        'dev stays keepLatest R-1',
      ]);
  });

  it('breaks a tie between tags of one moment by name, the higher one first', () => {
    const same = [tag('a', 5), tag('b', 5)];
    expect(verdicts({ tags: same }, [rule({ keepLatest: 1 })])).toEqual([
      'a goes notKept R-1',
      'b stays keepLatest R-1',
    ]);
  });

  it('leaves what is quarantined or held, and does not count the quarantined as one of the latest', () => {
    const facts = {
      tags: [tag('old', 40), tag('good', 30), tag('pinned', 35), tag('bad', 1)],
      manifests: [
        manifest('old'),
        manifest('good'),
        manifest('pinned', { heldBy: 'pin sam' }),
        manifest('bad', { quarantine: 'Q-1' }),
      ],
    };
    expect(verdicts(facts, [rule({ keepLatest: 1 })])).toEqual([
      'old goes notKept R-1',
      'good stays keepLatest R-1',
      'pinned stays held',
      'bad stays quarantined',
    ]);
  });

  it('leaves what a person brought back', () => {
    const back = [{ ...tag('v1', 40), restored: true }, tag('v2', 30), tag('v3', 20)];
    expect(verdicts({ tags: back }, [rule({ keepLatest: 1 })])).toEqual([
      'v1 stays restored',
      'v2 goes notKept R-1',
      'v3 stays keepLatest R-1',
    ]);
  });

  it('leaves the tag of an index with a platform that is deployed', () => {
    const facts = {
      tags: [tag('all', 40), tag('new', 1)],
      manifests: [
        manifest('all', { children: ['arm'] }),
        manifest('arm', { heldBy: 'deployment shop' }),
        manifest('new'),
      ],
    };
    expect(verdicts(facts, [rule({ keepLatest: 1 })])).toEqual([
      'all stays held',
      'new stays keepLatest R-1',
      'arm stays held',
    ]);
  });
});

describe('a rule over untagged manifests', () => {
  const after7 = rule({ untaggedMs: 7 * day });

  it.each<[string, Partial<ManifestFact> & { age?: number }, RetentionRule[], string]>([
    ['lets go what is old enough', {}, [after7], 'm goes untaggedTooLong R-1'],
    ['keeps what was pushed lately', { age: 6 }, [after7], 'm stays untaggedNotYet R-1'],
    ['counts from when the tag left it', { untaggedAt: now - day }, [after7], 'm stays untaggedNotYet R-1'],
    ['keeps what is pinned', { heldBy: 'pin sam' }, [after7], 'm stays held'],
    ['keeps what is quarantined', { quarantine: 'Q-1' }, [after7], 'm stays quarantined'],
    ['keeps all if it does not say how long', {}, [rule({ keepLatest: 1 })], 'm stays noRule'],
    [
      'keeps what is pulled by digest within keepPulled',
      { pulledAt: now - day },
      [rule({ untaggedMs: 7 * day, keepPulledMs: 2 * day })],
      'm stays keepPulled R-1',
    ],
    [
      'gives way to one that waits longer',
      { age: 10 },
      [after7, rule({ name: 'R-2', untaggedMs: 30 * day })],
      'm stays untaggedNotYet R-2',
    ],
  ])('%s', (_, facts, rules, expected) => {
    expect(verdicts({ tags: [], manifests: [manifest('m', facts)] }, rules)).toEqual([expected]);
  });

  it('keeps the children of an index in service, whether or not that goes', () => {
    const manifests = [manifest('index', { children: ['child'] }), manifest('child')];
    expect(verdicts({ tags: [], manifests }, [after7])).toEqual([
      'index goes untaggedTooLong R-1',
      'child stays childOfIndex',
    ]);
  });

  it('keeps or takes referrers, and theirs, with their subject', () => {
    const manifests = [
      manifest('sbom of signature', { subject: 'signature' }),
      manifest('signature', { subject: 'old' }),
      manifest('old'),
      manifest('live signature', { subject: 'live' }),
      manifest('live'),
      manifest('orphan', { subject: null }),
      manifest('pinned signature', { subject: 'old', heldBy: 'pin sam' }),
    ];
    expect(verdicts({ tags: [tag('v1', 90, 'live')], manifests }, [after7])).toEqual([
      'v1 stays noRule',
      'sbom of signature goes withSubject R-1',
      'signature goes withSubject R-1',
      'old goes untaggedTooLong R-1',
      'live signature stays referrer',
      'orphan goes untaggedTooLong R-1',
      'pinned signature stays held',
    ]);
  });
});
