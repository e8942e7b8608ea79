/**
 * How people write one licence, beside its SPDX id in any case and its id with other separators (`MPL 2`, `CC_BY-4.0`).
 * Compared by `nameKey`, so the words "the", "license" and "version", commas and hyphens don't matter here.
 *
 * What is not here on purpose: names that several licences have. `BSD` may have two, three or four clauses; `Apache
 * Software License`, `GPL`, `Artistic`, `MPL` have versions; `MIT/X11` is either of two; `Public Domain` is no licence.
 */
const spellings: Readonly<Record<string, readonly string[]>> = {
  '0BSD': ['Zero-Clause BSD', 'BSD Zero Clause', 'BSD 0-Clause'],
  'AFL-3.0': ['Academic Free License 3.0'],
  'Apache-1.1': ['ASL 1.1', 'Apache License 1.1', 'Apache Software License 1.1'],
  'Apache-2.0': [
    'Apache 2',
    'Apache2',
    'Apache License, Version 2.0',
    'Apache License, Version 2.0, January 2004',
    'Apache Software License, Version 2.0',
    'The Apache Software License 2.0',
    'ASL 2.0',
    'AL2',
    'apache.org/licenses/LICENSE-2.0',
    'opensource.org/licenses/Apache-2.0',
  ],
  'Artistic-1.0-Perl': ['Artistic (Perl) 1.0'],
  'Artistic-2.0': ['Artistic 2.0', 'Artistic License 2.0'],
  'Bitstream-Vera': ['Bitstream Vera'],
  'BSD-2-Clause': [
    '2-clause BSD',
    'BSD 2-Clause License',
    'BSD 2 clause "Simplified" License',
    'Simplified BSD',
    'BSD Simplified',
    'FreeBSD License',
    'opensource.org/licenses/BSD-2-Clause',
  ],
  'BSD-3-Clause': [
    '3-clause BSD',
    'BSD 3',
    'BSD 3-Clause',
    'BSD 3-Clause "New" or "Revised" License',
    'Eclipse Distribution License 1.0',
    'Eclipse Distribution License - v 1.0',
    'eclipse.org/org/documents/edl-v10',
    'New BSD',
    'BSD New',
    'Modified BSD',
    'Revised BSD',
    'opensource.org/licenses/BSD-3-Clause',
  ],
  'BSD-4-Clause': ['4-clause BSD', 'Original BSD'],
  'BSL-1.0': ['Boost', 'Boost Software License 1.0', 'Boost Software License - Version 1.0'],
  'CC0-1.0': [
    'CC0',
    'CC0 1.0',
    'CC0 1.0 Universal',
    'CC0 1.0 Universal (CC0 1.0) Public Domain Dedication',
    'creativecommons.org/publicdomain/zero/1.0',
  ],
  'CC-BY-3.0': ['Creative Commons Attribution 3.0'],
  'CC-BY-4.0': ['Creative Commons Attribution 4.0', 'Creative Commons Attribution 4.0 International'],
  'CC-BY-SA-3.0': ['Creative Commons Attribution Share Alike 3.0'],
  'CC-BY-SA-4.0': ['Creative Commons Attribution Share Alike 4.0'],
  'CDDL-1.0': [
    'Common Development and Distribution License 1.0',
    'Common Development and Distribution License (CDDL) Version 1.0',
    'CDDL v1.0',
  ],
  'CDDL-1.1': [
    'Common Development and Distribution License 1.1',
    'Common Development and Distribution License (CDDL) Version 1.1',
  ],
  'CPL-1.0': ['Common Public License 1.0'],
  'EPL-1.0': [
    'Eclipse Public License 1.0',
    'Eclipse Public License - v 1.0',
    'eclipse.org/legal/epl-v10',
    'eclipse.org/org/documents/epl-v10',
  ],
  'EPL-2.0': [
    'Eclipse Public License 2.0',
    'Eclipse Public License - v 2.0',
    'eclipse.org/legal/epl-2.0',
    'eclipse.org/legal/epl-v20',
    'eclipse.org/org/documents/epl-2.0/EPL-2.0',
  ],
  'EUPL-1.1': ['European Union Public Licence 1.1'],
  'EUPL-1.2': ['European Union Public Licence 1.2'],
  FTL: ['FreeType License'],
  HPND: ['Historical Permission Notice and Disclaimer'],
  ISC: ['ISC License', 'ISC License (ISCL)', 'ISCL', 'opensource.org/licenses/ISC'],
  Libpng: ['libpng License'],
  MIT: [
    'MIT License',
    'The MIT License (MIT)',
    'Expat',
    'Expat License',
    'MIT/Expat',
    'MIT (Expat)',
    'opensource.org/licenses/MIT',
    'opensource.org/licenses/mit-license',
  ],
  'MIT-0': ['MIT No Attribution', 'MIT No Attribution License (MIT-0)'],
  'MPL-1.1': ['Mozilla Public License 1.1', 'mozilla.org/MPL/1.1'],
  'MPL-2.0': ['Mozilla Public License 2.0', 'mozilla.org/MPL/2.0'],
  'MS-PL': ['Microsoft Public License'],
  NCSA: ['University of Illinois/NCSA Open Source License'],
  'OFL-1.1': ['SIL Open Font License 1.1', 'SIL 1.1', 'SIL OFL 1.1', 'Open Font License 1.1'],
  'OLDAP-2.8': ['OpenLDAP 2.8', 'OpenLDAP Public License 2.8'],
  'OSL-3.0': ['Open Software License 3.0'],
  PostgreSQL: ['PostgreSQL License'],
  'PSF-2.0': ['Python Software Foundation License 2.0', 'PSF License 2'],
  Ruby: ['Ruby License'],
  Unlicense: ['The Unlicense', 'The Unlicense (Unlicense)', 'unlicense.org'],
  'UPL-1.0': ['Universal Permissive License 1.0', 'Universal Permissive License (UPL)'],
  Vim: ['Vim License'],
  W3C: ['W3C License', 'W3C Software License'],
  WTFPL: ['Do What The F*ck You Want To Public License'],
  Zlib: ['zlib License', 'zlib/libpng License'],
  'ZPL-2.1': ['Zope Public License 2.1'],
  // Perl's own terms; elsewhere "Artistic" may be another one's first version.
  'GPL-1.0-or-later OR Artistic-1.0-Perl': [
    'GPL-1+ or Artistic',
    'Artistic or GPL-1+',
    'GPL+ or Artistic',
    'GPL-1+ or Artistic-1',
    'Artistic-1 or GPL-1+',
    'Perl_5',
  ],
};

/** The names of exceptions as people write them before the word "exception"; where the licence decides, by its version. */
export const exceptionNames: Readonly<Record<string, string | Readonly<Record<string, string>>>> = {
  autoconf: { 'GPL-2.0-or-later': 'Autoconf-exception-2.0', 'GPL-3.0-or-later': 'Autoconf-exception-3.0' },
  bison: 'Bison-exception-2.2',
  classpath: 'Classpath-exception-2.0',
  font: 'Font-exception-2.0',
  libtool: 'Libtool-exception',
  'linux syscall note': 'Linux-syscall-note',
  llvm: 'LLVM-exception',
  texinfo: 'Texinfo-exception',
};

/** What tells names apart, and nothing else. */
export function nameKey(text: string): string {
  return text
    .toLowerCase()
    .replace(/^https?:\/\/(?:www\.)?/, '')
    .replace(/(?:\.txt|\.html|\.php|\/)$/, '')
    .replaceAll('licence', 'license')
    .replace(/[\s_,"'-]+/g, ' ')
    .replace(/\b(?:the|license|version)\b(?![/.:])/g, ' ')
    .replace(/(?<=[a-z ]|^)v\.? ?(?=\d)/g, ' ')
    .replace(/(\d)\.0(?![.\d])/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

const bySpelling = new Map(
  Object.entries(spellings).flatMap(([id, names]) => names.map((name) => [nameKey(name), id] as const)),
);

/** The licence, or rarely the choice of licences, that this name means, by its key. */
export function namedLicence(key: string): string | undefined {
  return bySpelling.get(key);
}
