import { expect, test } from 'vitest';
import { Field } from '../../lib/fields.ts';
import { feedsOf } from './feeds.ts';

const feeds = (value: unknown) => feedsOf(new Field(value, 'advisories.sources', 'configInvalid'));
const url = 'https://osv.example/npm/modified_id.csv';

test('sources of advisories are a list, in a variable as JSON', () => {
  expect(feeds([{ name: 'npm', url, every: '1m' }])).toEqual([{ name: 'npm', url, everyMs: 60_000 }]);
  expect(feeds(JSON.stringify([{ name: 'npm', url }]))).toEqual([{ name: 'npm', url, everyMs: 3_600_000 }]);
  expect(feeds('')).toEqual([]);
});

test.each([
  [[{ name: 'npm', url: 'ftp://osv.example' }], 'advisories.sources[0].url'],
  [[{ name: '../npm', url }], 'advisories.sources[0].name'],
  [[{ name: 'npm', url, every: '1s' }], 'advisories.sources[0].every'],
  [[{ name: 'npm', url, every: 'often' }], 'advisories.sources[0].every'],
  [[{ name: 'npm', url, often: '1m' }], 'advisories.sources[0].often'],
  [
    [
      { name: 'npm', url },
      { name: 'npm', url },
    ],
    'advisories.sources',
  ],
  ['npm', 'advisories.sources'],
])('a mistake in %j is named by its path', (value, path) => {
  expect(() => feeds(value)).toThrow(
    expect.objectContaining({ code: 'configInvalid', detail: expect.objectContaining({ path }) }),
  );
});
