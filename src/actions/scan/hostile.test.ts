import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import type { Criteria } from '../../criteria/criteria.ts';
import { parseCriteria } from '../../criteria/parse.ts';
import { LazaretError } from '../../lib/errors.ts';
import { scan } from './scan.ts';

/** What somebody may write who means harm, or had an accident. */
const texts = [
  `'; drop table images; --`,
  `" or 1=1 --`,
  "it's",
  'a\0b',
  '\ud800',
  '%_!\\',
  '$1::text',
  '?1 :a @b $c',
  '**/**/**/**/**/**/**/**/a',
  `${'a*'.repeat(120)}b`,
  '{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}',
  '[a-z]',
  'x'.repeat(511),
  '../../etc/passwd',
];

const shapes: Readonly<Record<string, (text: string) => unknown>> = {
  purl: (text) => ({ package: { purl: `pkg:npm/${text}` } }),
  'encoded purl': (text) => ({ package: { purl: `pkg:npm/${encoded(text)}@${encoded(text)}` } }),
  'package name': (text) => ({ package: { name: text } }),
  'typed package name': (text) => ({ package: { type: 'deb', name: text, in: 'layer' } }),
  versions: (text) => ({ package: { purl: 'pkg:npm/a', versions: text } }),
  'vers:': (text) => ({ package: { purl: 'pkg:pypi/a', versions: `vers:pypi/<${encoded(text)}` } }),
  'advisory id': (text) => ({ advisory: { id: text } }),
  published: (text) => ({ advisory: { publishedSince: text } }),
  path: (text) => ({ file: { path: text } }),
  'path in the image': (text) => ({ file: { path: `${text}/*`, in: 'image' } }),
  'file name': (text) => ({ file: { name: text } }),
  'secret kind': (text) => ({ secret: { kind: text } }),
  'secret path': (text) => ({ secret: { path: text } }),
  signature: (text) => ({ malware: { signature: text } }),
  'path of malware': (text) => ({ malware: { signature: `${text}*`, path: text, in: 'image' } }),
  user: (text) => ({ config: { user: text } }),
  env: (text) => ({ config: { env: text } }),
  label: (text) => ({ config: { label: { name: text, value: text } } }),
  licence: (text) => ({ license: text }),
  repository: (text) => ({ image: { repository: text } }),
  tag: (text) => ({ image: { tag: text } }),
  pusher: (text) => ({ image: { pushedBy: text } }),
  'image label': (text) => ({ image: { label: { name: text } } }),
  source: (text) => ({ image: { source: text } }),
  platform: (text) => ({ image: { platform: text } }),
};

function encoded(text: string): string {
  return text.isWellFormed() ? encodeURIComponent(text) : text;
}

describeEngines('hostile criteria', (engines) => {
  test('are refused with a path, or answered; nothing else happens', async () => {
    const house = await openHouse(engines);
    const image = buildImage({ layers: [await buildLayer([{ path: 'a', content: 'a' }])] });
    await house.push('acme/shop:1', image);
    await house.inspected(image, [
      {
        packages: [{ name: `${'a'.repeat(200)}`, version: '1.0.0' }],
        files: [{ path: `${'a'.repeat(200)}` }],
      },
    ]);
    const documents = Object.values(shapes).flatMap((shape) => texts.map(shape));
    const accepted = documents.flatMap(read);
    expect(accepted.length).toBeGreaterThan(texts.length);
    for (let at = 0; at < accepted.length; at += atOnce) {
      const criteria = { any: accepted.slice(at, at + atOnce) };
      const { counts } = await scan(house.deps, { criteria, scope: {}, requestedBy: 'jo' });
      expect(counts.match + counts.unknown + counts.noMatch).toBe(1);
    }
    const [file] = read({ file: { path: 'a*' } });
    const { counts } = await scan(house.deps, {
      criteria: file ?? { any: [] },
      scope: {},
      requestedBy: 'jo',
    });
    expect(counts).toMatchObject({ match: 1 });
  });
});

/** Of one scan. */
const atOnce = 60;

/** None where it is refused, which must name its place. */
function read(document: unknown): Criteria[] {
  try {
    return [parseCriteria(document)];
  } catch (error) {
    if (!(error instanceof LazaretError) || error.code !== 'invalid') throw error;
    expect([document, error.detail?.path]).toEqual([document, expect.stringMatching(/^criteria[.[]/)]);
    return [];
  }
}
