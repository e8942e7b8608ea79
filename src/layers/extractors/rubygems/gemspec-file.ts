/** A gem's specification as RubyGems writes it when it installs (`Gem::Specification#to_ruby`). */
export interface Gemspec {
  readonly name: string;
  readonly version: string;
  /** `ruby` for those that run on any. */
  readonly platform: string;
  readonly license: string | undefined;
}

/** `# stub: rack 2.2.6.4 ruby lib`, which RubyGems itself reads instead of the Ruby below it. */
const stubLine = /^# stub: (\S+) (\S+) (\S+)/;
const assignment = /^\s*\w+\.(name|version|platform|licenses?)\s*=\s*(\S.*)$/;
/** The stub is in one of the first lines. */
const stubLines = 4;

/** Read without being run. @returns a sentence for a specification that says its name or version in another way */
export function parseGemspec(text: string): Gemspec | string {
  const lines = text.split('\n');
  const stub = lines
    .slice(0, stubLines)
    .map((line) => stubLine.exec(line))
    .find((match) => match !== null);
  const assigned = assignmentsOf(lines);
  const name = stub?.[1] ?? assigned.get('name')?.[0];
  if (!name) return 'it does not plainly say its name';
  const version = stub?.[2] ?? assigned.get('version')?.[0];
  if (!version) return `${name} does not plainly say its version`;
  const licenses = assigned.get('licenses') ?? assigned.get('license') ?? [];
  return {
    name,
    version,
    platform: stub?.[3] ?? assigned.get('platform')?.join('-') ?? 'ruby',
    license: licenses.length === 0 ? undefined : licenses.join(' OR '),
  };
}

/** The strings that are assigned in one line each; the first assignment counts. */
function assignmentsOf(lines: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const line of lines) {
    const [, key, value] = assignment.exec(line) ?? [];
    if (key === undefined || value === undefined || found.has(key)) continue;
    const strings = [...value.matchAll(/"([^"]*)"|'([^']*)'/g)].map(
      ([, double, single]) => double ?? single ?? '',
    );
    if (strings.length > 0) found.set(key, strings);
  }
  return found;
}
