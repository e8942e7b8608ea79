import type { Criteria } from '../../src/criteria/criteria.ts';
import { needle, spreads } from './needles.ts';

export interface Question {
  readonly name: string;
  readonly criteria: Criteria;
  /** In milliseconds; null: nothing was promised. */
  readonly p50: number | null;
  readonly p99: number | null;
  /** The first page is of all images in their order; else of the first that are found. */
  readonly sorted?: boolean;
  /** Ten times the images have ten times as many that match, all of which are put in order. */
  readonly grows?: boolean;
  /** The whole answer is read, too. */
  readonly whole?: boolean;
}

const promised = { p50: 10, p99: 50 };

export function questions(): readonly Question[] {
  const sized = spreads.flatMap((spread): Question[] => {
    const { purl, advisory, sha256, secret, licence } = needle(spread);
    const of = { one: '1 image', some: '100 images', all: 'all images' }[spread];
    return [
      { name: `advisory, ${of}`, criteria: { advisory: { id: advisory } }, ...promised },
      { name: `package range, ${of}`, criteria: { package: { purl, versions: '<2' } }, ...promised },
      { name: `file hash, ${of}`, criteria: { file: { sha256 } }, ...promised, whole: spread === 'all' },
      { name: `secret, ${of}`, criteria: { secret: { kind: secret } }, ...promised },
      { name: `licence, ${of}`, criteria: { license: { anyOf: [licence] } }, ...promised },
    ];
  });
  return [
    ...sized,
    {
      name: 'critical, fixable and exploited, sorted',
      criteria: { advisory: { severity: 'critical', fixed: true, exploited: true } },
      sorted: true,
      ...{ p50: null, p99: 100 },
    },
    {
      name: 'critical and fixable, sorted',
      criteria: { advisory: { severity: 'critical', fixed: true } },
      sorted: true,
      ...{ p50: null, p99: null, whole: true, grows: true },
    },
    {
      name: 'pushed by a glob, in a glob',
      criteria: { image: { pushedBy: 'ci-*', repository: 'bench/team-1/**' } },
      ...promised,
      grows: true,
    },
    {
      name: 'not a package',
      criteria: { not: { package: { purl: needle('some').purl } } },
      sorted: true,
      ...{ p50: null, p99: null, grows: true },
    },
    { name: 'file by name', criteria: { file: { path: '**/file-7-777.js' } }, p50: null, p99: 2_000 },
    {
      name: 'file by a glob without prefix or name',
      criteria: { file: { path: '**/*-7-77?.js' } },
      ...{ p50: null, p99: 2_000 },
    },
    {
      name: 'package by a glob of its name',
      criteria: { package: { type: 'npm', name: '*-123*' } },
      ...{ p50: null, p99: 2_000 },
    },
  ];
}
