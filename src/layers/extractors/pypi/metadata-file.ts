/** What a Python package says of itself (packaging.python.org, "Core metadata specifications"). */
export interface PythonPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string | undefined;
}

/** A licence's whole text has been put into `License` by many; a name is short. */
const licenseLengthMax = 100;

/** The fields of the head, which ends at the first empty line. @returns a sentence if there is no name or version */
export function parseMetadata(text: string): PythonPackage | string {
  const fields = fieldsOf(text);
  const [name] = fields.get('name') ?? [];
  if (!name) return 'it has no name';
  const [version] = fields.get('version') ?? [];
  if (!version) return `${name} has no version`;
  return { name, version, license: licenseOf(fields) };
}

function fieldsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  let last: string[] | undefined;
  for (const raw of text.split('\n')) {
    const line = raw.trimEnd();
    if (line === '') break;
    const colon = line.indexOf(':');
    if (/^[ \t]/.test(line)) {
      // The line before it goes on here.
      if (last !== undefined) last.push(`${last.pop()}\n${line.trim()}`);
    } else if (colon > 0) {
      const name = line.slice(0, colon).toLowerCase();
      last = fields.get(name) ?? [];
      last.push(line.slice(colon + 1).trim());
      fields.set(name, last);
    }
  }
  return fields;
}

/** `License-Expression`, which is SPDX; else the name in `License`; else the names of the classifiers. */
function licenseOf(fields: ReadonlyMap<string, readonly string[]>): string | undefined {
  const [expression] = fields.get('license-expression') ?? [];
  if (expression) return expression;
  const [stated] = fields.get('license') ?? [];
  if (stated && stated !== 'UNKNOWN' && stated.length <= licenseLengthMax && !stated.includes('\n'))
    return stated;
  const classified = (fields.get('classifier') ?? [])
    .filter((classifier) => classifier.startsWith('License ::'))
    .map((classifier) => classifier.slice(classifier.lastIndexOf('::') + 2).trim())
    .filter((name) => name !== 'OSI Approved');
  return classified.length === 0 ? undefined : classified.join(' OR ');
}
