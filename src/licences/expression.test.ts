import { expect, test } from 'vitest';
import { isNamed, isSatisfied, licencesIn, parseExpression } from './expression.ts';

const licence = (text: string) => {
  const [found] = licencesIn(expression(text));
  if (!found) throw new Error(`'${text}' has no licence`);
  return found;
};
const expression = (text: string) => {
  const parsed = parseExpression(text);
  if (!parsed) throw new Error(`'${text}' is no expression`);
  return parsed;
};

test.each([
  ['MIT', ['MIT'], true],
  ['MIT', ['ISC', 'Apache-2.0'], false],
  ['MIT OR GPL-3.0-only', ['MIT'], true],
  ['MIT AND GPL-3.0-only', ['MIT'], false],
  ['MIT AND (GPL-3.0-only OR ISC)', ['MIT', 'ISC'], true],
  ['GPL-2.0-or-later', ['GPL-3.0-only'], true],
  ['GPL-2.0-only', ['GPL-3.0-only'], false],
  ['GPL-3.0-only', ['GPL-2.0-or-later'], true],
  ['LGPL-2.1-or-later', ['GPL-3.0-only'], false],
  ['EPL-1.0+', ['EPL-2.0'], true],
  // Eight letters: spdx-satisfies 6.0.0 takes them for "or later".
  ['CDDL-1.0', ['CDDL-1.1'], false],
  ['GPL-2.0-only WITH Classpath-exception-2.0', ['GPL-2.0-only'], false],
  ['GPL-2.0-only WITH Classpath-exception-2.0', ['GPL-2.0-only WITH Classpath-exception-2.0'], true],
  ['LicenseRef-unknown', ['MIT'], undefined],
  ['LicenseRef-unknown OR MIT', ['MIT'], true],
  ['LicenseRef-unknown OR GPL-3.0-only', ['MIT'], undefined],
  ['LicenseRef-unknown AND GPL-3.0-only', ['MIT'], false],
  ['LicenseRef-unknown AND MIT', ['MIT'], undefined],
  ['MIT', [], false],
] as const)('%s is met under %j: %s', (text, allowed, answer) => {
  expect(isSatisfied(expression(text), allowed.map(licence))).toBe(answer);
});

test.each([
  ['GPL-2.0-only', 'GPL-2.0-only', true],
  ['GPL-2.0-only', 'GPL-2.0-or-later', false],
  ['GPL-2.0-only', 'GPL-2.0-only WITH Classpath-exception-2.0', true],
  ['GPL-2.0-only WITH Classpath-exception-2.0', 'GPL-2.0-only', false],
])('%s means %s: %s', (asked, found, answer) => {
  expect(isNamed(licence(asked), licence(found))).toBe(answer);
});
