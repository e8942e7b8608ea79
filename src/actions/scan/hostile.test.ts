import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
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
    for (const [field, shape] of Object.entries(shapes))
      for (const text of texts) {
        const outcome = await asked(house, shape(text));
        expect([field, text, outcome]).toEqual([
          field,
          text,
          expect.stringMatching(/^(?:answered|criteria[.[])/),
        ]);
      }
    expect(await asked(house, { file: { path: 'a*' } })).toBe('answered: 1');
  });
});

/** The path that is refused, or how many images match. */
async function asked(house: Awaited<ReturnType<typeof openHouse>>, document: unknown): Promise<string> {
  try {
    const criteria = parseCriteria(document);
    const { counts } = await scan(house.deps, { criteria, scope: {}, requestedBy: 'jo' });
    return `answered: ${counts.match}`;
  } catch (error) {
    if (error instanceof LazaretError && error.code === 'invalid') return String(error.detail?.path);
    throw error;
  }
}
