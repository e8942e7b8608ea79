import { XMLParser } from 'fast-xml-parser';

/** What Maven writes into a jar about the project that it is of; what it does not say is undefined. */
export interface Pom {
  readonly groupId: string | undefined;
  readonly artifactId: string | undefined;
  readonly version: string | undefined;
  readonly licenses: readonly string[];
}

/** Of a properties file only what Maven's archiver writes: one `key=value` a line. */
export function parsePomProperties(text: string): Pom {
  const values = new Map<string, string>();
  for (const line of text.split(/[\r\n]+/)) {
    const [, key, value] = /^\s*([A-Za-z.]+)\s*[=:]\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, value);
  }
  return {
    groupId: told(values.get('groupId')),
    artifactId: told(values.get('artifactId')),
    version: told(values.get('version')),
    licenses: [],
  };
}

/** Group and version may be the parent's. @throws what the XML parser says */
export function parsePomXml(text: string): Pom {
  const parser = new XMLParser({ processEntities: false, parseTagValue: false, ignoreAttributes: true });
  const project = child(parser.parse(text), 'project');
  const parent = child(project, 'parent');
  return {
    groupId: told(child(project, 'groupId')) ?? told(child(parent, 'groupId')),
    artifactId: told(child(project, 'artifactId')),
    version: told(child(project, 'version')) ?? told(child(parent, 'version')),
    licenses: [child(child(project, 'licenses'), 'license')]
      .flat()
      .map((license) => told(child(license, 'name')))
      .filter((name) => name !== undefined),
  };
}

function child(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = Object.entries(value).find(([key]) => key === name);
  return found?.[1];
}

/** Undefined also for what a build left to be filled in: `${revision}`. */
function told(value: unknown): string | undefined {
  return typeof value === 'string' && /^[^\s${}]/.test(value) && !value.includes('${') ? value : undefined;
}
