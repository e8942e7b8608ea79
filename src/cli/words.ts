/** How figures are said to people. */

/** `12.3 MB`: decimal units, three digits. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${units[unit]}`;
}

export function countText(n: number, noun: string): string {
  return `${n.toLocaleString('en')} ${noun}${n === 1 ? '' : 's'}`;
}

/** `2026-11-22 09:12:07` in UTC, or `-`. */
export function timeText(ms: number | null): string {
  return ms === null ? '-' : new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

/** `sha256:0123456789ab`: enough to recognise one. */
export function digestText(digest: string): string {
  return digest.slice(0, 'sha256:'.length + 12);
}

/** At most `width` characters, the last one `…` where something is missing. */
export function shortText(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

/** `advisories: a (…), b (…)`, at most `width` characters a line, the others indented. */
export function listText(label: string, parts: readonly string[], width: number): string {
  const lines: string[] = [];
  let line = `${label}:`;
  for (const [at, part] of parts.entries()) {
    const text = at === parts.length - 1 ? part : `${part},`;
    if (line.trim() !== '' && line.length + 1 + text.length > width) {
      lines.push(line);
      line = ' ';
    }
    line += ` ${text}`;
  }
  return [...lines, line].map((each) => shortText(each, width)).join('\n');
}

/** `pkg:npm/lodash@4.17.20`: without what follows a `?`. */
export function purlText(purl: string): string {
  return purl.split('?', 1)[0] ?? purl;
}

/** `@babel/traverse` of a purl; of a distribution's package without the distribution. */
export function purlName(purl: string): string {
  const [, type = '', path = purl] = /^pkg:([^/]+)\/([^@?]+)/.exec(purl) ?? [];
  const name = ['deb', 'apk', 'rpm'].includes(type) ? path.slice(path.indexOf('/') + 1) : path;
  return name.replaceAll('%40', '@').replaceAll('%2B', '+');
}

/** `excepted by E-3 (component_not_present, says Acme, until 2027-01-31)` */
export function exceptedText(exception: {
  readonly name: string;
  readonly status: string;
  readonly justification: string | null;
  readonly author: string;
  readonly expiresAt: number | null;
}): string {
  const { name, status, justification, author, expiresAt } = exception;
  const until = expiresAt === null ? '' : `, until ${timeText(expiresAt).slice(0, 10)}`;
  return `excepted by ${name} (${justification ?? status}, says ${author}${until})`;
}
