import exceptionIds from 'spdx-exceptions/index.json' with { type: 'json' };
import { limits } from '../lib/limits.ts';
import { parseExpression, unknownLicence } from './expression.ts';
import { licenceId, orLater } from './licence-ids.ts';
import { exceptionNames, namedLicence, nameKey } from './licence-names.ts';

/**
 * What a package says about its licence, as an SPDX expression; null when it is not understood. Nothing is guessed: a
 * name that several licences have is not understood. Where some parts of a compound are, the others are
 * `LicenseRef-unknown` in it.
 *
 * Understood are SPDX expressions, Debian's (`GPL-2+ and Expat`, DEP-5), Fedora's older short names (`ASL 2.0 and
 * GPLv2+`), the classifiers of PyPI, addresses of licences, and the common spellings of each.
 */
export function spdxOf(text: string): string | null {
  if (text.length > limits.licenceLengthMax) return null;
  const written = termsOf(text.trim(), 0);
  return written === undefined || parseExpression(written) === undefined ? null : written;
}

const depthMax = 16;

/** From the loosest joint to the tightest; in DEP-5 a comma before the word loosens it. */
const joints = [
  [/^,\s*(and|or)\s+/i],
  [/^\s+(or)\s+/i, /^\s*(\|\|?)\s*/],
  [/^\s+(and)\s+/i, /^\s*(&&?)\s*/],
] as const;

/** undefined: nothing of it was understood. */
function termsOf(text: string, depth: number): string | undefined {
  if (depth > depthMax) return undefined;
  const single = nameOf(text) ?? withException(text);
  if (single !== undefined) return single;
  const spaced = text.replace(laterWords, '+');
  for (const patterns of joints) {
    const { parts, joint } = splitAt(spaced, patterns);
    if (joint === undefined) continue;
    const terms = parts.map((part) => termsOf(part, depth + 1));
    if (terms.every((term) => term === undefined)) return undefined;
    return terms.map((term) => grouped(term ?? unknownLicence, joint)).join(` ${joint} `);
  }
  const inner = /^\((.*)\)$/s.exec(spaced)?.[1];
  return inner === undefined ? undefined : termsOf(inner.trim(), depth + 1);
}

function grouped(term: string, joint: string): string {
  return / (?:AND|OR) /.test(term) && !(joint === 'AND' && !term.includes(' OR ')) ? `(${term})` : term;
}

/** Splits outside parentheses. Several words of one kind in one text (`A, and B, or C`) are joined from the left. */
function splitAt(text: string, patterns: readonly RegExp[]) {
  const parts: string[] = [];
  let [nesting, from, joint]: [number, number, string | undefined] = [0, 0, undefined];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '(') nesting++;
    else if (text[at] === ')') nesting--;
    else if (nesting === 0 && /[\s,&|]/.test(text[at] ?? '')) {
      const rest = text.slice(at, at + 16);
      const [found, word] = patterns.map((pattern) => pattern.exec(rest)).find(Boolean) ?? [];
      if (found === undefined) continue;
      const spelled = /^(?:and|&)/i.test(word ?? '') ? 'AND' : 'OR';
      if (joint !== undefined && joint !== spelled) break;
      joint = spelled;
      parts.push(text.slice(from, at).trim());
      from = at + found.length;
      at = from - 1;
    }
  }
  parts.push(text.slice(from).trim());
  return { parts, joint };
}

const laterWords =
  /(?:,\s*|\s+)\(?or,?\s+(?:\(?at your option\)?,?\s+)?(?:any\s+)?(?:later|newer|greater)(?:\s+versions?)?\)?/gi;

/** One licence by its id, its name, its address, its classifier. */
function nameOf(given: string): string | undefined {
  if (/^LicenseRef-[A-Za-z0-9.-]+$/.test(given)) return given;
  const text = classified(given.replace(laterWords, '+').trim());
  if (text === '') return undefined;
  const exact = licenceId(text);
  if (exact !== undefined) return exact;
  const key = nameKey(text);
  const dashed = key.replaceAll(' ', '-');
  return (
    namedLicence(key) ??
    gnuLicence(key) ??
    licenceId(dashed) ??
    licenceId(dashed.replace(/(-\d)$/, '$1.0')) ??
    laterOf(text) ??
    twiceNamed(text)
  );
}

function classified(text: string): string {
  return text.startsWith('License ::') ? text.slice(text.lastIndexOf('::') + 2).trim() : text;
}

function laterOf(text: string): string | undefined {
  if (!text.endsWith('+')) return undefined;
  const id = nameOf(text.slice(0, -1));
  return id === undefined ? undefined : orLater(id);
}

/** `Mozilla Public License 2.0 (MPL 2.0)`: both must mean the same; or where its text is: `GPL2 (see COPYING)`. */
function twiceNamed(text: string): string | undefined {
  const [, name, again] = /^([^()]*[^()\s])\s*\(([^()]*)\)$/.exec(text) ?? [];
  if (name === undefined || again === undefined) return undefined;
  const id = nameOf(name);
  if (id === undefined) return undefined;
  return /^see /i.test(again) || nameOf(again) === id ? id : undefined;
}

const gnuNames: Readonly<Record<string, string>> = { agpl: 'AGPL', gpl: 'GPL', lgpl: 'LGPL', gfdl: 'GFDL' };
const gnuWords: Readonly<Record<string, string>> = {
  'affero general public': 'AGPL',
  'general public': 'GPL',
  'lesser general public': 'LGPL',
  'library general public': 'LGPL',
  'library or lesser general public': 'LGPL',
  'free documentation': 'GFDL',
};
const gnuPattern = new RegExp(
  `^(?:gnu )?(${[...Object.keys(gnuNames), ...Object.keys(gnuWords)].join('|')}) ?(\\d(?:\\.\\d)?)? ?(\\+|only)?$`,
);

/**
 * `GPLv2+`, `LGPL-2.1`, `GNU General Public License v3 or later`. A short name with a version has always meant that
 * version; whoever writes it out without "only" may mean the later ones too (as PEP 639 finds of the classifiers).
 */
function gnuLicence(key: string): string | undefined {
  const [, name = '', version, which] = gnuPattern.exec(key) ?? [];
  const short = gnuNames[name];
  const family = short ?? gnuWords[name];
  if (family === undefined) return undefined;
  if (version === undefined && which !== '+') return undefined;
  if (short === undefined && which === undefined) return undefined;
  const lowest = family === 'LGPL' ? '2' : '1';
  const number = (version ?? lowest).includes('.') ? version : `${version ?? lowest}.0`;
  return licenceId(`${family}-${number}-${which === '+' ? 'or-later' : 'only'}`);
}

const exceptions = new Map(exceptionIds.map((id) => [id.toLowerCase(), id]));

/** `GPL-2+ with Autoconf exception`, `Apache-2.0 WITH LLVM-exception`; undefined when either is not understood. */
function withException(text: string): string | undefined {
  const [, name, words] = /^([^()]+?)\s+with\s+(?:the\s+)?([^()]+)$/i.exec(text) ?? [];
  if (name === undefined || words === undefined || / (?:and|or) /i.test(words)) return undefined;
  const licence = nameOf(name);
  if (licence === undefined || licence.includes(' ')) return undefined;
  const known = exceptions.get(words.toLowerCase()) ?? exceptionNamed(licence, words);
  return known === undefined ? undefined : `${licence} WITH ${known}`;
}

function exceptionNamed(licence: string, words: string): string | undefined {
  const known = exceptionNames[nameKey(words).replace(/ exception$/, '')];
  return typeof known === 'string' ? known : known?.[licence];
}
