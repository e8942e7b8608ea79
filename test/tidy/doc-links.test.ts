import { expect, test } from 'vitest';
import { brokenLinks } from './doc-links.ts';
import { projectFiles } from './project-files.ts';

const guide = {
  path: 'docs/guides/add.md',
  text: '# Add a driver\n## Step 1: `wants` & co.\n## Again\n## Again\n<a id="own"></a>\n```\n# no heading\n```\n',
};
const links = (text: string) => brokenLinks([{ path: 'docs/a.md', text }, guide]);

test('every relative link of the documents leads somewhere', () => {
  expect(brokenLinks(projectFiles())).toEqual([]);
});

test.each([
  '[guide](guides/add.md)',
  '[folder](guides/)',
  '[up](../docs)',
  '[root](..)',
  '[heading](guides/add.md#add-a-driver)',
  '[code in it](guides/add.md#step-1-wants--co)',
  '[second of two](guides/add.md#again-1)',
  '[own anchor](guides/add.md#own)',
  '[elsewhere](https://example.com/x.md) [mail](mailto:a@example.com)',
  '`[shown](as-code.md)`',
  '```md\n[shown](as-code.md)\n```',
  '# Here\n[here](#here)',
])('%s leads somewhere', (text) => {
  expect(links(text)).toEqual([]);
});

test.each([
  ['[gone](guides/gone.md)', 'guides/gone.md: there is no docs/guides/gone.md'],
  ['![picture](loop.svg "title")', 'loop.svg: there is no docs/loop.svg'],
  ['[name]: gone.md', 'gone.md: there is no docs/gone.md'],
  ['[heading](guides/add.md#gone)', 'guides/add.md#gone: docs/guides/add.md has no heading #gone'],
  [
    '[in code](guides/add.md#no-heading)',
    'guides/add.md#no-heading: docs/guides/add.md has no heading #no-heading',
  ],
  ['[here](#gone)', '#gone: docs/a.md has no heading #gone'],
])('%s is found', (text, finding) => {
  expect(links(`first line\n${text}`)).toEqual([`docs/a.md:2: ${finding}`]);
});
