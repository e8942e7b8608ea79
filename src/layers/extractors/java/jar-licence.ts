/** As the jar states them, of which any may be chosen; what they mean is told elsewhere (src/licences). */
export function licenceOf(names: readonly string[]): string | undefined {
  const stated = [...new Set(names.map((name) => name.trim()).filter((name) => name !== ''))];
  return stated.length === 0 ? undefined : stated.map(apart).join(' OR ');
}

/** `Apache-2.0 and MIT`, beside others. */
function apart(name: string, _: number, { length }: readonly string[]): string {
  return length > 1 && / (?:and|or) /i.test(name) ? `(${name})` : name;
}

/** `Bundle-License` (OSGi Core, 3.2.1.10): names or addresses with attributes, separated by commas. */
export function bundleLicences(header: string | undefined): readonly string[] {
  // Many write `Apache License, Version 2.0` without the quotes that it needs.
  return (header?.match(/(?:"[^"]*"|,(?=\s*version\b)|[^,"])+/gi) ?? []).map((clause) => {
    const name = /^\s*"([^"]*)"/.exec(clause)?.[1] ?? clause.split(';', 1)[0] ?? '';
    return name.trim();
  });
}
