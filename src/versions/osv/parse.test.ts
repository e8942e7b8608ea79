import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { parseOsv } from './parse.ts';

const minimal = { id: 'X-1', modified: '2026-01-01T00:00:00Z' };
const affected = (entry: unknown) => ({
  ...minimal,
  affected: [{ package: { ecosystem: 'npm', name: 'a' } }, entry],
});
const range = (event: unknown) => affected({ ranges: [{ type: 'SEMVER', events: [event] }] });

function problem(document: unknown): LazaretError {
  try {
    parseOsv(document);
  } catch (error) {
    if (error instanceof LazaretError) return error;
    throw error;
  }
  throw new Error('the advisory was accepted');
}

describe('parseOsv', () => {
  it('reads the advisory of the demo', () => {
    const text = readFileSync(
      new URL('../../../demo/advisories/GHSA-35jh-r3h4-6jhm.json', import.meta.url),
      'utf8',
    );
    const advisory = parseOsv(JSON.parse(text));
    expect(advisory).toMatchObject({
      id: 'GHSA-35jh-r3h4-6jhm',
      aliases: ['CVE-2021-23337'],
      severityWord: 'HIGH',
    });
    expect(advisory.affected[0]).toEqual({
      package: { ecosystem: 'npm', name: 'lodash', purl: 'pkg:npm/lodash' },
      ranges: [
        {
          type: 'SEMVER',
          events: [
            { kind: 'introduced', version: '0' },
            { kind: 'fixed', version: '4.17.21' },
          ],
        },
      ],
      versions: [],
      severity: [],
    });
  });

  it('reads the least that an advisory is, and null as absent', () => {
    const lists = { aliases: [], upstream: [], related: [], severity: [], affected: [] };
    expect(parseOsv(minimal)).toEqual({ ...minimal, ...lists });
    expect(
      parseOsv({ ...minimal, aliases: null, affected: null, withdrawn: null, database_specific: 'x' }),
    ).toEqual({ ...minimal, ...lists });
  });

  it('reads two events in one object, as old records have them', () => {
    const events = parseOsv(range({ introduced: '1.0.0', fixed: '2.0.0' })).affected[1]?.ranges[0]?.events;
    expect(events).toEqual([
      { kind: 'introduced', version: '1.0.0' },
      { kind: 'fixed', version: '2.0.0' },
    ]);
  });

  it.each([
    ['a list', [], 'advisory', undefined],
    ['no id', { modified: minimal.modified }, 'advisory.id', undefined],
    ['an id with a line end', { ...minimal, id: 'X\n1' }, 'advisory.id', undefined],
    ['no modified', { id: 'X-1' }, 'advisory.modified', 'X-1'],
    ['a time that is none', { ...minimal, modified: 'yesterday' }, 'advisory.modified', 'X-1'],
    ['aliases as text', { ...minimal, aliases: 'CVE' }, 'advisory.aliases', 'X-1'],
    [
      'a package without a name',
      affected({ package: { ecosystem: 'npm' } }),
      'advisory.affected[1].package.name',
      'X-1',
    ],
    [
      'a range of another type',
      affected({ ranges: [{ type: 'X', events: [] }] }),
      'advisory.affected[1].ranges[0].type',
      'X-1',
    ],
    [
      'a range without events',
      affected({ ranges: [{ type: 'GIT' }] }),
      'advisory.affected[1].ranges[0].events',
      'X-1',
    ],
    ['an event without a kind', range({ intro: '0' }), 'advisory.affected[1].ranges[0].events[0]', 'X-1'],
    [
      'a version that is no text',
      range({ fixed: 2 }),
      'advisory.affected[1].ranges[0].events[0].fixed',
      'X-1',
    ],
    [
      'a severity without a score',
      { ...minimal, severity: [{ type: 'CVSS_V3' }] },
      'advisory.severity[0].score',
      'X-1',
    ],
    [
      'too many ranges',
      affected({ ranges: Array(limits.advisoryRangesMax + 1).fill({ type: 'SEMVER', events: [] }) }),
      'advisory.affected[1].ranges',
      'X-1',
    ],
  ])('refuses %s, naming path and id', (_, document, path, id) => {
    const error = problem(document);
    expect([error.code, error.detail?.path, error.detail?.id]).toEqual(['invalid', path, id]);
  });
});
