import { describe, expect, it } from 'vitest';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import {
  describeEvent,
  formatEventCriteria,
  parseEventCriteria,
  readEventCriteria,
} from './event-criteria.ts';

const stop = { when: [{ quarantined: true }], response: 'stop' };

function problem(read: () => unknown): LazaretError {
  try {
    read();
  } catch (error) {
    if (error instanceof LazaretError) return error;
    throw error;
  }
  throw new Error('the event criteria were accepted');
}

describe('parseEventCriteria', () => {
  const all = {
    when: [
      { imageMeets: { advisory: { severity: 'high', fixed: true } } },
      { quarantined: true },
      { grantRevoked: true },
      { until: '2027-01-31T12:00:00.000Z' },
      { after: '1d' },
    ],
    response: 'stop',
    stopDeadline: '5s',
  };

  it('reads every kind of event, and writes it back', () => {
    const parsed = parseEventCriteria(all);
    expect(parsed).toEqual({
      when: [
        { kind: 'imageMeets', criteria: { advisory: { severity: 'high', fixed: true } } },
        { kind: 'quarantined' },
        { kind: 'grantRevoked' },
        { kind: 'until', untilMs: Date.UTC(2027, 0, 31, 12) },
        { kind: 'after', afterMs: 86_400_000 },
      ],
      response: 'stop',
      stopDeadlineMs: 5_000,
    });
    expect(formatEventCriteria(parsed)).toEqual(all);
    expect(parsed.when.map(describeEvent)).toEqual([
      'a fixable advisory of severity high or worse applies',
      'its image is quarantined',
      'the grant of its image is revoked',
      'it is 2027-01-31T12:00:00.000Z',
      'it has run for 1d',
    ]);
  });

  it('stops after ten seconds when the document names no deadline', () => {
    expect(readEventCriteria(Buffer.from(JSON.stringify(stop))).stopDeadlineMs).toBe(10_000);
  });

  it.each([
    ['a list', [], 'eventCriteria'],
    ['an unknown key', { ...stop, respnse: 'stop' }, 'eventCriteria.respnse'],
    ['no events', { ...stop, when: [] }, 'eventCriteria.when'],
    ['no response', { when: stop.when }, 'eventCriteria.response'],
    ['an unknown response', { ...stop, response: 'halt' }, 'eventCriteria.response'],
    ['a response that comes later', { ...stop, response: 'pause' }, 'eventCriteria.response'],
    ['a deadline that is none', { ...stop, stopDeadline: '10' }, 'eventCriteria.stopDeadline'],
    ['an event without a kind', { ...stop, when: [{}] }, 'eventCriteria.when[0]'],
    [
      'an event of two kinds',
      { ...stop, when: [{ quarantined: true, after: '1h' }] },
      'eventCriteria.when[0]',
    ],
    ['an unknown kind', { ...stop, when: [{ quarantine: true }] }, 'eventCriteria.when[0].quarantine'],
    ['a kind that comes later', { ...stop, when: [{ tagMoved: true }] }, 'eventCriteria.when[0].tagMoved'],
    ['quarantined: false', { ...stop, when: [{ quarantined: false }] }, 'eventCriteria.when[0].quarantined'],
    [
      'a time without a zone',
      { ...stop, when: [{ until: '2027-01-31T12:00:00' }] },
      'eventCriteria.when[0].until',
    ],
    [
      'a month that is none',
      { ...stop, when: [{ until: '2027-13-31T12:00:00Z' }] },
      'eventCriteria.when[0].until',
    ],
    ['a duration that is none', { ...stop, when: [{ after: 'soon' }] }, 'eventCriteria.when[0].after'],
    [
      'wrong criteria',
      { ...stop, when: [{ imageMeets: { all: [{ package: {} }] } }] },
      'eventCriteria.when[0].imageMeets.all[0].package.purl',
    ],
    [
      'too many events',
      { ...stop, when: Array(limits.eventCriteriaEventsMax + 1).fill({ quarantined: true }) },
      'eventCriteria.when',
    ],
  ])('refuses %s, naming the path', (_, document, path) => {
    expect(problem(() => parseEventCriteria(document))).toMatchObject({ code: 'invalid', detail: { path } });
  });

  it('refuses bytes that are no JSON or over the limit', () => {
    expect(problem(() => readEventCriteria(Buffer.from('{'))).code).toBe('invalid');
    expect(problem(() => readEventCriteria(Buffer.alloc(limits.eventCriteriaBytesMax + 1))).code).toBe(
      'tooLarge',
    );
  });
});
