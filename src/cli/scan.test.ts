import { readFile } from 'node:fs/promises';
import { Ajv } from 'ajv';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { lazaret } from '../../test/support/command-line.ts';
import {
  type DistributionWorld,
  openDistributionWorld,
  pushLayers,
} from '../../test/support/distribution-world.ts';
import { buildLayer } from '../../test/support/oci-layout.ts';

let world: DistributionWorld;
const scan = (...argv: string[]) => lazaret(world.server.admin, 'scan', ...argv);

beforeAll(async () => {
  world = await openDistributionWorld();
  const manifest = (version: string) => [
    {
      path: `app/a-folder-with-a-very-long-name/and-another-one-in-it/${version}/node_modules/lodash/package.json`,
      content: `{"name":"lodash","version":"${version}"}`,
    },
  ];
  await pushLayers(world.acme, 'acme/shop:1', [await buildLayer(manifest('4.17.20'))]);
  await pushLayers(world.acme, 'acme/shop:2', [await buildLayer(manifest('4.17.21'))]);
  await world.server.drain();
});
afterAll(() => world.server.close());

async function sarifProblems(text: string): Promise<unknown> {
  const file = new URL('../../test/fixtures/sarif/sarif-2.1.0.schema.json', import.meta.url);
  const { $schema: _, id: __, ...schema } = JSON.parse(await readFile(file, 'utf8'));
  const validate = new Ajv({ strict: false, validateFormats: false, unicodeRegExp: false }).compile(schema);
  validate(JSON.parse(text));
  return validate.errors;
}

it('shows a table that fits a terminal, without colours where nobody looks', async () => {
  const { text, code } = await scan('--all', '--package', 'pkg:npm/lodash@<4.17.21');
  expect(code).toBe(2);
  expect(text).toMatch(/^S-\d+ {2}1 of 2 images match/);
  expect(text).toMatch(/acme\/shop:1 +pkg:npm\/lodash@4\.17\.20 +….*package\.json \(layer [0-9a-f]{12}\)/);
  expect(text).toContain('covers: 2 images');
  expect(text).not.toContain('\u001b');
  for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
});

it('says in every output and in its exit code that without a feed nothing is known', async () => {
  const asked = ['--all', '--severity', 'high'];
  const table = await scan(...asked);
  expect(table.text).toMatch(/acme\/shop:2 +no advisories were loaded/);
  expect(table.text).toContain('load some with: lazaret advisory import FILE');
  const json = await scan(...asked, '-o', 'json');
  expect(JSON.parse(json.text)).toMatchObject({
    counts: { match: 0, unknown: 2, noMatch: 0 },
    images: [{ verdict: 'unknown' }, { verdict: 'unknown' }],
    covers: { advisorySources: [], running: { known: 0, neverSeen: 0 } },
  });
  const yaml = await scan(...asked, '-o', 'yaml');
  expect(yaml.text).toContain('verdict: unknown');
  const sarif = await scan(...asked, '-o', 'sarif');
  expect(JSON.parse(sarif.text).runs[0].results).toMatchObject([{ kind: 'open' }, { kind: 'open' }]);
  expect(sarif.text).toContain('no advisories were loaded');
  expect([table, json, yaml, sarif].map(({ code }) => code)).toEqual([3, 3, 3, 3]);
});

it('does not call clean what is not there', async () => {
  for (const scope of ['--account=acne', '--repositories=acme/shpo*'])
    for (const output of ['table', 'json', 'jsonl', 'sarif'])
      expect((await scan(scope, '--package', 'pkg:npm/lodash', '-o', output)).code).toBe(3);
  const { text } = await scan('--account', 'acne', '--package', 'pkg:npm/lodash');
  expect(text).toContain('covers: 0 images: none is in scope');
  const digest = `sha256:${'0'.repeat(64)}`;
  await expect(scan(`acme/shop@${digest}`, '--package', 'pkg:npm/lodash')).rejects.toThrow(
    `there is no image acme/shop@${digest}`,
  );
  await expect(scan('--all', '--criteria', 'no-such-file.json')).rejects.toThrow(
    "the criteria in no-such-file.json can't be read",
  );
});

it('writes each image on a line of its own as it is found, and last what holds of all of them', async () => {
  const asked = ['--all', '--package', 'pkg:npm/lodash@<4.17.21', '-o', 'jsonl'];
  const { text, code } = await scan(...asked);
  const [image, early, last, ...more] = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(image).toMatchObject({ image: { repository: 'acme/shop', verdict: 'match' } });
  expect(early).toEqual({ matchAtLeast: 1, isAll: true });
  expect(last).toMatchObject({ answer: { counts: { match: 1, noMatch: 1 }, covers: { images: 2 } } });
  expect(more).toEqual([]);
  expect(code).toBe(2);
  expect(await scan('--all', '--severity', 'high', '-o', 'jsonl')).toMatchObject({ code: 3 });
  await expect(scan(...asked, '--effect', 'quarantine')).rejects.toThrow(/without --effect/);
});

it('writes SARIF that its schema accepts', async () => {
  for (const asked of [
    ['--package', 'pkg:npm/lodash'],
    ['--file', '**/package.json'],
    ['--config-user', 'root'],
    ['--severity', 'low'],
  ]) {
    const { text } = await scan('--all', ...asked, '-o', 'sarif');
    expect(await sarifProblems(text)).toBeNull();
    expect(JSON.parse(text).runs[0].results).toHaveLength(2);
  }
});

it('finds packages by a glob of their names, with versions', async () => {
  const found = async (text: string) => (await scan('--all', '--package', text)).text;
  expect(await found('pkg:npm/lod*@<4.17.21')).toContain('1 of 2 images match');
  expect(await found('pkg:npm/{lodash,express}')).toContain('2 of 2 images match');
  expect(await found('pkg:npm/@types/*')).toContain('0 of 2 images match');
});

it('reads an answer again and tells what is new since', async () => {
  const asked = ['--repositories', 'acme/**', '--package', 'pkg:npm/lodash@<4.17.21'];
  const name = async () => /^S-\d+/.exec((await scan(...asked)).text)?.[0] ?? '';
  const before = await name();
  await pushLayers(world.acme, 'acme/portal:1', [
    await buildLayer([
      { path: 'node_modules/lodash/package.json', content: '{"name":"lodash","version":"4.0.0"}' },
    ]),
  ]);
  await world.server.drain();
  const after = await name();
  const diff = await scan('diff', before, after);
  expect(diff.text).toContain(`${before} → ${after}  1 appeared, 0 ended, 0 unknown, 1 as before`);
  expect(diff.text).toMatch(/appeared +acme\/portal +sha256:[0-9a-f]{12} +absent/);
  expect(diff.code).toBe(2);
  expect(await scan('diff', after, after)).toMatchObject({ code: 0 });
  const shown = await scan('show', before, '-o', 'json');
  expect(JSON.parse(shown.text)).toMatchObject({ name: before, counts: { match: 1 }, next: null });
  const other = /^S-\d+/.exec((await scan('--all', '--file', 'etc/passwd')).text)?.[0] ?? '';
  await expect(scan('diff', before, other)).rejects.toThrow(/different questions/);
});

it('asks one image for malware wherever the option stands, and takes no image for all of them', async () => {
  for (const asked of [
    ['--malware', 'acme/shop:1'],
    ['acme/shop:1', '--malware'],
    ['--signature', 'Unix.*', 'acme/shop:1'],
  ]) {
    const { text, code } = await scan(...asked, '-o', 'json');
    expect(code).toBe(3); // no engine looked
    expect(JSON.parse(text)).toMatchObject({
      question: asked[0] === '--signature' ? 'contains malware of signature Unix.*' : 'contains malware',
      images: [{ repository: 'acme/shop', verdict: 'unknown' }],
    });
  }
  await expect(scan('--all', '--malware', 'Unix.*')).rejects.toThrow("'Unix.*' is one image: without --all");
});
