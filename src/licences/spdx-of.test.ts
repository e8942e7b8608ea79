import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { licencesIn, parseExpression } from './expression.ts';
import { spdxOf } from './spdx-of.ts';

/** As real packages write them, and where. */
const understood: Readonly<Record<string, readonly (readonly [string, string])[]>> = {
  npm: [
    ['MIT', 'MIT'],
    ['(MIT OR Apache-2.0)', 'MIT OR Apache-2.0'],
    ['MIT OR Apache-2.0', 'MIT OR Apache-2.0'],
    ['(MIT AND CC-BY-3.0)', 'MIT AND CC-BY-3.0'],
    ['(BSD-2-Clause OR MIT OR Apache-2.0)', 'BSD-2-Clause OR MIT OR Apache-2.0'],
    ['Apache Licence Version 2.0 (http://www.apache.org/licenses/LICENSE-2.0)', 'Apache-2.0'],
    ['Apache 2.0', 'Apache-2.0'],
    ['apache2', 'Apache-2.0'],
    ['BSD-3-Clause AND (MIT OR GPL-2.0)', 'BSD-3-Clause AND (MIT OR GPL-2.0-only)'],
  ],
  pypi: [
    ['Apache License, Version 2.0', 'Apache-2.0'],
    ['Apache License 2.0', 'Apache-2.0'],
    ['License :: OSI Approved :: MIT License', 'MIT'],
    ['License :: OSI Approved :: ISC License (ISCL)', 'ISC'],
    ['GNU Lesser General Public License v2 or later (LGPLv2+)', 'LGPL-2.0-or-later'],
    ['License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)', 'GPL-3.0-or-later'],
    ['Mozilla Public License 2.0 (MPL 2.0)', 'MPL-2.0'],
    ['LGPL v3', 'LGPL-3.0-only'],
    ['LGPLv2+', 'LGPL-2.0-or-later'],
    ['Modified BSD License', 'BSD-3-Clause'],
    ['BSD 3-Clause License', 'BSD-3-Clause'],
    ['MIT license', 'MIT'],
    ['LicenseRef-NVIDIA-Proprietary', 'LicenseRef-NVIDIA-Proprietary'],
  ],
  dpkg: [
    ['GPL-2+', 'GPL-2.0-or-later'],
    ['GPL-2', 'GPL-2.0-only'],
    ['GPL-2.0+', 'GPL-2.0-or-later'],
    ['LGPL-2.1+', 'LGPL-2.1-or-later'],
    ['GPL-1+ or Artistic', 'GPL-1.0-or-later OR Artistic-1.0-Perl'],
    ['Expat', 'MIT'],
    ['BSD-3-clause or GPL-2', 'BSD-3-Clause OR GPL-2.0-only'],
    ['BSD 3-clause', 'BSD-3-Clause'],
    ['BSD-2-Clause-netbsd', 'BSD-2-Clause'],
    ['LGPL-3+ or GPL-2+', 'LGPL-3.0-or-later OR GPL-2.0-or-later'],
    ['OpenLDAP-2.8', 'OLDAP-2.8'],
    ['GPL-2+ with Autoconf exception', 'GPL-2.0-or-later WITH Autoconf-exception-2.0'],
    ['GPL-2 with Linux-syscall-note exception', 'GPL-2.0-only WITH Linux-syscall-note'],
    ['Apache-2.0 with LLVM exception', 'Apache-2.0 WITH LLVM-exception'],
    ['LGPL2.1 or later', 'LGPL-2.1-or-later'],
    ['GPL2 (see COPYING-GPL2)', 'GPL-2.0-only'],
    ['Creative Commons Attribution Share Alike 3.0 (CC-BY-SA-3.0)', 'CC-BY-SA-3.0'],
    ['GPL-2+, and Expat or ISC', 'GPL-2.0-or-later AND (MIT OR ISC)'],
    ['ZLIB', 'Zlib'],
  ],
  rpm: [
    ['ASL 2.0', 'Apache-2.0'],
    ['GPLv2+', 'GPL-2.0-or-later'],
    ['GPL+ or Artistic', 'GPL-1.0-or-later OR Artistic-1.0-Perl'],
    ['LGPLv2+ and GPLv2', 'LGPL-2.0-or-later AND GPL-2.0-only'],
    ['zlib and Boost', 'Zlib AND BSL-1.0'],
    ['(GPLv2 or MPLv1.1) and ISC', '(GPL-2.0-only OR MPL-1.1) AND ISC'],
    ['GPL-2.0-or-later WITH GCC-exception-3.1', 'GPL-2.0-or-later WITH GCC-exception-3.1'],
  ],
  apk: [
    ['GPL-2.0-only', 'GPL-2.0-only'],
    ['MPL-2.0 AND MIT', 'MPL-2.0 AND MIT'],
    ['GPL-2.0-or-later WITH Bison-exception-2.2', 'GPL-2.0-or-later WITH Bison-exception-2.2'],
  ],
  'rubygems, maven, composer': [
    ['MIT OR Ruby', 'MIT OR Ruby'],
    ['GPL-3.0+', 'GPL-3.0-or-later'],
    ['The Apache Software License, Version 2.0', 'Apache-2.0'],
    ['https://www.apache.org/licenses/LICENSE-2.0.txt', 'Apache-2.0'],
    ['Eclipse Public License - v 2.0', 'EPL-2.0'],
    ['http://www.eclipse.org/org/documents/epl-v10.php', 'EPL-1.0'],
    ['https://www.eclipse.org/legal/epl-v20.html', 'EPL-2.0'],
    ['Eclipse Distribution License - v 1.0', 'BSD-3-Clause'],
    ['COMMON DEVELOPMENT AND DISTRIBUTION LICENSE (CDDL) Version 1.0', 'CDDL-1.0'],
    [
      'The BSD 3-Clause License OR (Apache License, Version 2.0 and MIT)',
      'BSD-3-Clause OR (Apache-2.0 AND MIT)',
    ],
    ['https://opensource.org/licenses/MIT OR The Widget License', 'MIT OR LicenseRef-unknown'],
    ['EPL-1.0+', 'EPL-1.0+'],
  ],
};

for (const [source, table] of Object.entries(understood))
  test.each(table)(`of ${source}: %s`, (written, spdx) => expect(spdxOf(written)).toBe(spdx));

test.each([
  'BSD',
  'BSD License',
  'Apache Software License',
  'Apache',
  'GPL',
  'GNU Library or Lesser General Public License (LGPL)',
  // Nothing says whether later versions are meant (PEP 639, "Mapping license classifiers").
  'GNU General Public License v3 (GPLv3)',
  'MIT/X11',
  'Artistic',
  'public-domain',
  'permissive',
  'custom',
  'UNLICENSED',
  'UNKNOWN',
  'SEE LICENSE IN LICENSE.md',
  'GPL-3/OpenSSL',
  'GPLv2 (LGPLv3)',
  'GPL-2+ with an exception nobody knows',
  'Permission to use, copy, modify, and distribute this software and its documentation',
  '',
  '()',
  ' and ',
  '('.repeat(2_000),
  'MIT and '.repeat(2_000),
])('is unknown where nothing says which is meant: %s', (written) => expect(spdxOf(written)).toBeNull());

test.each([
  ['GPLv2+ and BSD', 'GPL-2.0-or-later AND LicenseRef-unknown'],
  ['BSL-1.0 and OldBoost2', 'BSL-1.0 AND LicenseRef-unknown'],
  ['MIT or (public-domain and GPL-2)', 'MIT OR (LicenseRef-unknown AND GPL-2.0-only)'],
])('keeps the parts that it understands: %s', (written, spdx) => expect(spdxOf(written)).toBe(spdx));

test('of any text is null, or an expression of licences that is read as itself', () => {
  const word = fc.constantFrom(
    'MIT',
    'gpl-2+',
    'BSD',
    'and',
    'or',
    'with',
    '(',
    ')',
    ',',
    '|',
    '+',
    'llvm',
    ' ',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word, { maxLength: 24 }).map((words) => words.join(' ')),
  );
  fc.assert(
    fc.property(text, (written) => {
      const spdx = spdxOf(written);
      if (spdx === null) return;
      const expression = parseExpression(spdx);
      expect(expression && licencesIn(expression).length).toBeGreaterThan(0);
      expect(spdxOf(spdx)).toBe(spdx);
    }),
    { numRuns: 500 },
  );
});

test('every id of the list of SPDX is itself, in any case', () => {
  const ids: string[] = JSON.parse(readFileSync('node_modules/spdx-license-ids/index.json', 'utf8'));
  expect(ids.length).toBeGreaterThan(600);
  for (const id of ids) {
    expect(spdxOf(id)).toBe(id);
    expect(spdxOf(id.toUpperCase())).toBe(id);
  }
});
