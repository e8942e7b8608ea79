/** What a document that can't be read names all the same, so that it can be told what nobody knows because of it. */
export interface Salvaged {
  readonly id: string | undefined;
  /** Of this flaw, for all one knows: whatever in it looks like the name of one. */
  readonly names: readonly string[];
  readonly packages: readonly { readonly ecosystem: string; readonly name: string }[];
}

const packagesMax = 1_000;
const namesMax = 100;
const textMax = 1_024;

/**
 * Of text that need not be JSON: an object called `package` is written without another one in it.
 * @param id where the document could be read so far
 */
export function salvage(bytes: Uint8Array, id: string | undefined): Salvaged {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  const packages = new Map<string, { ecosystem: string; name: string }>();
  for (const [, object = ''] of text.matchAll(/"package"\s*:\s*(\{[^{}]{1,5000}\})/g)) {
    const named = packageOf(object);
    if (named) packages.set(`${named.ecosystem}\n${named.name}`, named);
    if (packages.size >= packagesMax) break;
  }
  const found = id ?? idOf(text);
  return {
    id: found,
    names: namesIn(text).filter((name) => name !== found),
    packages: [...packages.values()],
  };
}

function namesIn(text: string): string[] {
  const names = new Set<string>();
  for (const [, name = ''] of text.matchAll(
    /"((?:CVE-\d{4}-\d{4,19})|(?:GHSA(?:-[a-z0-9]{4}){3})|(?:MAL-\d{4}-\d{1,9}))"/g,
  )) {
    names.add(name);
    if (names.size >= namesMax) break;
  }
  return [...names];
}

function idOf(text: string): string | undefined {
  return /"id"\s*:\s*"([A-Za-z0-9][A-Za-z0-9_.:-]{0,127})"/.exec(text)?.[1];
}

function packageOf(object: string): { ecosystem: string; name: string } | undefined {
  const value = (key: string) =>
    new RegExp(`"${key}"\\s*:\\s*("(?:[^"\\\\]|\\\\.){1,${textMax}}")`).exec(object)?.[1];
  const [ecosystem, name] = [textOf(value('ecosystem')), textOf(value('name'))];
  return ecosystem === undefined || name === undefined ? undefined : { ecosystem, name };
}

function textOf(literal: string | undefined): string | undefined {
  if (literal === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(literal);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined; // an escape that is none: this much can't be made out
  }
}
