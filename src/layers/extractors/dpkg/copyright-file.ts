/**
 * `usr/share/doc/PACKAGE/copyright` in its machine-readable form (DEP-5,
 * debian.org/doc/packaging-manuals/copyright-format/1.0). The licence of a package is that of all its files together:
 * those of `Files: *` first, then what single files have beside them. Free text says nothing here.
 */

const licencesMax = 64;
const lengthMax = 1_500;

/** Every licence that the file names for some files, joined with `and`; undefined for free text, and where none is named. */
export function parseCopyrightFile(text: string, isWhole: boolean): string | undefined {
  if (!isMachineReadable(text)) return undefined;
  const ofAll = new Set<string>();
  const ofSome = new Set<string>();
  for (const stanza of text.split(/\n(?:[ \t]*\r?\n)+/)) {
    const files = fieldOf(stanza, 'files');
    const licence = fieldOf(stanza, 'license');
    if (files === undefined || !licence) continue;
    (files.split(/\s+/).includes('*') ? ofAll : ofSome).add(licence);
  }
  return joined([...new Set([...ofAll, ...ofSome])], isWhole);
}

/** Told by its first stanza, which has `Format` with the address of the form (`Format-Specification` before 1.0). */
export function isMachineReadable(start: string): boolean {
  return /^(?:[ \t\r]*(?:#.*)?\n|[A-Za-z-]+:.*\n|[ \t]+\S.*\n)*?Format(?:-Specification)?:/.test(
    start.slice(0, 1_024),
  );
}

/** The first line of a field: of `License` that is the name, and the text follows. */
function fieldOf(stanza: string, name: string): string | undefined {
  const pattern = name === 'files' ? /^Files:((?:.*)(?:\n[ \t].*)*)/im : /^License:(.*)/im;
  return pattern.exec(stanza)?.[1]?.trim();
}

function joined(licences: readonly string[], isWhole: boolean): string | undefined {
  if (licences.length === 0) return undefined;
  const parts: string[] = [];
  let length = 0;
  for (const licence of licences) {
    const part = licences.length > 1 && /\s(?:and|or)\s/i.test(licence) ? `(${licence})` : licence;
    length += part.length + ' and '.length;
    if (parts.length >= licencesMax || length > lengthMax) break;
    parts.push(part);
  }
  const left = licences.length - parts.length;
  if (left > 0) parts.push(`${left} more`);
  else if (!isWhole) parts.push('more');
  return parts.join(' and ');
}
