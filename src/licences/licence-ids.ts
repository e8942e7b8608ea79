import deprecatedIds from 'spdx-license-ids/deprecated.json' with { type: 'json' };
import currentIds from 'spdx-license-ids/index.json' with { type: 'json' };

/** What deprecated ids say today (spdx.org/licenses, "Deprecated License Identifiers"); the others stay as they are. */
const renamed: Readonly<Record<string, string>> = {
  'BSD-2-Clause-FreeBSD': 'BSD-2-Clause',
  'BSD-2-Clause-NetBSD': 'BSD-2-Clause',
  'GPL-2.0-with-GCC-exception': 'GPL-2.0-only WITH GCC-exception-2.0',
  'GPL-2.0-with-autoconf-exception': 'GPL-2.0-only WITH Autoconf-exception-2.0',
  'GPL-2.0-with-bison-exception': 'GPL-2.0-only WITH Bison-exception-2.2',
  'GPL-2.0-with-classpath-exception': 'GPL-2.0-only WITH Classpath-exception-2.0',
  'GPL-2.0-with-font-exception': 'GPL-2.0-only WITH Font-exception-2.0',
  'GPL-3.0-with-GCC-exception': 'GPL-3.0-only WITH GCC-exception-3.1',
  'GPL-3.0-with-autoconf-exception': 'GPL-3.0-only WITH Autoconf-exception-3.0',
  'StandardML-NJ': 'SMLNJ',
};

/** `GPL-2.0` is deprecated since it does not say whether later versions may be chosen; alone it has meant "only". */
const gnu = /^(?:AGPL|GFDL|GPL|LGPL)-\d\.\d$/;

const byLowerCase = new Map<string, string>([
  ...deprecatedIds.map((id) => entry(id, renamed[id] ?? (gnu.test(id) ? `${id}-only` : id))),
  ...currentIds.map((id) => entry(id, id)),
]);

function entry(id: string, written: string): [string, string] {
  return [id.toLowerCase(), written];
}

/** The id as SPDX writes it today, for one in any case; undefined: it is none. */
export function licenceId(text: string): string | undefined {
  return byLowerCase.get(text.toLowerCase());
}

/** The id with "this or any later version", as SPDX writes it today. */
export function orLater(id: string): string | undefined {
  if (id.includes(' ') || id.endsWith('-or-later')) return undefined;
  return id.endsWith('-only') ? id.replace(/-only$/, '-or-later') : `${id}+`;
}
