import cvss from 'ae-cvss-calculator';
import type { OsvAdvisory, OsvAffected, OsvSeverity } from './advisory.ts';

/** `none` is a rating (a CVSS score of 0); `unknown` is that nobody gave one. */
export interface SeverityRating {
  readonly level: 'none' | 'low' | 'medium' | 'high' | 'critical' | 'unknown';
  /** The CVSS base score, 0 to 10, where the level comes from one. */
  readonly score?: number;
  /** Absent when unknown. `alias`: from the CVSS of another advisory of the same flaw. */
  readonly source?: 'distribution' | 'cvss' | 'word' | 'alias';
}

/**
 * The distribution's rating, else CVSS (the entry's before the advisory's, the newest version that is well formed), else
 * the source's word (the entry's before the advisory's), else unknown.
 */
export function severityOf(advisory: OsvAdvisory, affected: OsvAffected): SeverityRating {
  return (
    distributionRating(advisory, affected) ??
    cvssRating(affected.severity) ??
    cvssRating(advisory.severity) ??
    wordRating(affected.severityWord, 'word') ??
    wordRating(advisory.severityWord, 'word') ?? { level: 'unknown' }
  );
}

/** The base score of a CVSS 2, 3.0, 3.1 or 4.0 vector; undefined for one that is malformed or incomplete. */
export function cvssScore(vector: string): number | undefined {
  if (vector.length > 512) return undefined;
  if (scores.has(vector)) return scores.get(vector);
  if (scores.size >= scoresRememberedMax) scores.clear();
  const score = scoreOf(vector);
  scores.set(vector, score);
  return score;
}

/** There are few vectors, which come again and again: in each entry of an advisory, and in thousands of advisories. */
const scores = new Map<string, number | undefined>();
const scoresRememberedMax = 5_000;

function scoreOf(vector: string): number | undefined {
  try {
    return baseScore(vector);
  } catch {
    // The calculator throws plain type errors for what is no vector; to us that is a rating nobody gave.
    return undefined;
  }
}

const words: Readonly<Record<string, SeverityRating['level']>> = {
  none: 'none',
  negligible: 'low',
  unimportant: 'low',
  low: 'low',
  medium: 'medium',
  moderate: 'medium',
  high: 'high',
  important: 'high',
  critical: 'critical',
};

function distributionRating(advisory: OsvAdvisory, affected: OsvAffected): SeverityRating | undefined {
  const typed = [...affected.severity, ...advisory.severity].find(({ type }) => !type.startsWith('CVSS_'));
  return (
    wordRating(typed?.score, 'distribution') ??
    wordRating(affected.distributionWord, 'distribution') ??
    wordRating(erratumWord(advisory, affected), 'distribution')
  );
}

/** Errata of Red Hat's family say it as the first word of their title: `Important: kernel security update`. */
function erratumWord({ summary = '' }: OsvAdvisory, { package: named }: OsvAffected): string | undefined {
  if (!/^(?:AlmaLinux|Rocky Linux)(?::|$)/.test(named?.ecosystem ?? '')) return undefined;
  return /^(\w+): /.exec(summary)?.[1];
}

function wordRating(word: string | undefined, source: 'distribution' | 'word'): SeverityRating | undefined {
  const key = word?.trim().toLowerCase();
  const level = key !== undefined && Object.hasOwn(words, key) ? words[key] : undefined;
  return level === undefined ? undefined : { level, source };
}

function cvssRating(severities: readonly OsvSeverity[]): SeverityRating | undefined {
  for (const type of ['CVSS_V4', 'CVSS_V3', 'CVSS_V2'])
    for (const severity of severities) {
      const score = severity.type === type ? cvssScore(severity.score) : undefined;
      if (score !== undefined) return { level: levelOf(score, type), score, source: 'cvss' };
    }
  return undefined;
}

/** The bands of CVSS 3 and 4; version 2 knows neither none nor critical. */
function levelOf(score: number, type: string): SeverityRating['level'] {
  if (type === 'CVSS_V2') return score >= 7 ? 'high' : score >= 4 ? 'medium' : 'low';
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'none';
}

function baseScore(vector: string): number | undefined {
  const parsed = vectorOf(vector);
  if (!parsed.isBaseFullyDefined()) return undefined;
  const { base } = parsed.calculateScores();
  return base !== undefined && Number.isFinite(base) ? base : undefined;
}

function vectorOf(vector: string) {
  if (vector.startsWith('CVSS:4.0/')) return new cvss.Cvss4P0(vector);
  if (vector.startsWith('CVSS:3.1/')) return new cvss.Cvss3P1(vector);
  if (vector.startsWith('CVSS:3.0/')) return new cvss.Cvss3P0(vector);
  return new cvss.Cvss2(vector);
}
