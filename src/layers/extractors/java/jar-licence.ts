/** Licences as SPDX names them, as far as the ways that jars write them are known; else as they are written. */
export function licenceOf(names: readonly string[]): string | undefined {
  const found = [...new Set(names.map(spdxOf).filter((name) => name !== ''))];
  return found.length === 0 ? undefined : found.join(' OR ');
}

/** `Bundle-License` (OSGi Core, 3.2.1.10): names or addresses with attributes, separated by commas. */
export function bundleLicences(header: string | undefined): readonly string[] {
  // Many write `Apache License, Version 2.0` without the quotes that it needs.
  return (header?.match(/(?:"[^"]*"|,(?=\s*version\b)|[^,"])+/gi) ?? []).map((clause) => {
    const name = /^\s*"([^"]*)"/.exec(clause)?.[1] ?? clause.split(';', 1)[0] ?? '';
    return name.trim();
  });
}

const known: readonly (readonly [RegExp, string])[] = [
  [
    /apache(?:\.org\/licenses\/| (?:software )?licen[cs]e,? ?(?:version )?|-)(?:LICENSE-)?2(?:\.0)?\b|^apache 2(?:\.0)?$/i,
    'Apache-2.0',
  ],
  [/^(?:the )?mit(?: licen[cs]e)?$|opensource\.org\/licenses\/mit\b/i, 'MIT'],
  [/eclipse public licen[cs]e.*\b2\.0|epl[- ]?(?:v ?)?2\.?0?\b/i, 'EPL-2.0'],
  [/eclipse public licen[cs]e|epl[- ]?(?:v ?)?1\.?0?\b/i, 'EPL-1.0'],
  [/bsd[- ]?3|3-clause bsd|new bsd|revised bsd/i, 'BSD-3-Clause'],
  [/bsd[- ]?2|2-clause bsd|simplified bsd/i, 'BSD-2-Clause'],
  [/mozilla public licen[cs]e.*2\.0|\bmpl[- ]?2/i, 'MPL-2.0'],
  [/\bcddl[^0-9]*1\.1/i, 'CDDL-1.1'],
  [/\bcddl[^0-9]*1\.0/i, 'CDDL-1.0'],
];

function spdxOf(name: string): string {
  return known.find(([pattern]) => pattern.test(name))?.[1] ?? name.trim();
}
