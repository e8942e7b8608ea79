import { describe, expect, it } from 'vitest';
import { parseOsv } from './parse.ts';
import { cvssScore, severityOf } from './severity.ts';

const v2 = { type: 'CVSS_V2', score: 'AV:N/AC:L/Au:N/C:C/I:C/A:C' };
const v3 = { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:H/I:H/A:H' };
const v4 = { type: 'CVSS_V4', score: 'CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N' };
const harmless = { type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:H/UI:N/S:U/C:N/I:N/A:N' };
const broken = { type: 'CVSS_V4', score: 'CVSS:4.0/AV:N' };

function rate(top: Record<string, unknown>, own: Record<string, unknown> = {}) {
  const advisory = parseOsv({ id: 'X-1', modified: '2026-01-01T00:00:00Z', ...top, affected: [own] });
  const [affected] = advisory.affected;
  if (affected === undefined) throw new Error('no entry');
  return severityOf(advisory, affected);
}

const word = (severity: unknown) => ({ database_specific: { severity } });

describe('severityOf', () => {
  it.each([
    ['CVSS 2, which knows no critical', { severity: [v2] }, {}, { level: 'high', score: 10, source: 'cvss' }],
    ['CVSS 3.1', { severity: [v3] }, {}, { level: 'high', score: 7.2, source: 'cvss' }],
    ['the newest CVSS', { severity: [v3, v4] }, {}, { level: 'critical', score: 9.3, source: 'cvss' }],
    ['a score of 0', { severity: [harmless] }, {}, { level: 'none', score: 0, source: 'cvss' }],
    ['the well-formed CVSS', { severity: [broken, v3] }, {}, { level: 'high', score: 7.2, source: 'cvss' }],
    [
      'the CVSS of the entry',
      { severity: [v4] },
      { severity: [v3] },
      { level: 'high', score: 7.2, source: 'cvss' },
    ],
    [
      'CVSS before a word',
      { severity: [v3], ...word('LOW') },
      {},
      { level: 'high', score: 7.2, source: 'cvss' },
    ],
    ['the word', word('MODERATE'), {}, { level: 'medium', source: 'word' }],
    ['the word of the entry', word('LOW'), word('Important'), { level: 'high', source: 'word' }],
    [
      'the word when CVSS is broken',
      { severity: [broken], ...word('CRITICAL') },
      {},
      { level: 'critical', source: 'word' },
    ],
    [
      'the urgency of Debian before CVSS',
      { severity: [v4] },
      { ecosystem_specific: { urgency: 'unimportant' } },
      { level: 'low', source: 'distribution' },
    ],
    [
      'the priority of Ubuntu',
      { severity: [{ type: 'Ubuntu', score: 'medium' }, v4] },
      {},
      { level: 'medium', source: 'distribution' },
    ],
    [
      'no urgency yet',
      { severity: [v3] },
      { ecosystem_specific: { urgency: 'not yet assigned' } },
      { level: 'high', score: 7.2, source: 'cvss' },
    ],
    [
      'the first word of the title of an erratum',
      { summary: 'Important: kernel security update', severity: [v2] },
      { package: { ecosystem: 'AlmaLinux:9', name: 'kernel' } },
      { level: 'high', source: 'distribution' },
    ],
    [
      'no such word of other titles',
      { summary: 'Critical: everything' },
      { package: { ecosystem: 'npm', name: 'kernel' } },
      { level: 'unknown' },
    ],
    ['nothing', {}, {}, { level: 'unknown' }],
    ['an unknown word', word('constructor'), {}, { level: 'unknown' }],
    ['a word that is no text', word(9), {}, { level: 'unknown' }],
  ])('takes %s', (_, top, own, rating) => expect(rate(top, own)).toEqual(rating));
});

describe('cvssScore', () => {
  it.each(['', 'x', 'CVSS:3.0/bogus', 'CVSS:3.1/AV:N', 'CVSS:9.9/AV:N', 'CVSS:3.1/'.padEnd(1000, 'AV:N/')])(
    "has no score for '%s'",
    (vector) => {
      expect(cvssScore(vector)).toBeUndefined();
    },
  );
});
