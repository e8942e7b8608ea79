import { PackageURL } from 'packageurl-js';
import { LazaretError } from '../lib/errors.ts';
import { Field } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { schemeOfPurlType } from '../versions/schemes.ts';
import { parseVersionRange } from '../versions/vers.ts';
import { parseConfig } from './config.ts';
import type { AdvisoryCriteria, Criteria, FileCriteria, PackageCriteria } from './criteria.ts';
import { parseLicense } from './license.ts';
import { parseGlob, parsePlace } from './parts.ts';
import { parseSecret } from './secret.ts';

/** From least to worst. */
export const severities = ['low', 'medium', 'high', 'critical'] as const;

const kinds = ['all', 'any', 'not', 'package', 'advisory', 'file', 'secret', 'config', 'license'] as const;
const laterKinds: readonly string[] = ['image'];

/**
 * Purls come back in their canonical form; nothing else is changed.
 * @throws invalid, with the place in `detail.path`: `criteria.all[1].package.purl`
 */
export function parseCriteria(value: unknown, path = 'criteria'): Criteria {
  return parseNode(new Field(value, path), { nodes: 0, depth: 1 });
}

/** `nodes` counts all nodes read so far; `depth` is that of the node being read. */
interface Budget {
  nodes: number;
  depth: number;
}

function parseNode(node: Field, budget: Budget): Criteria {
  if (++budget.nodes > limits.criteriaNodesMax)
    throw node.error(`criteria of more than ${limits.criteriaNodesMax} nodes`);
  if (budget.depth > limits.criteriaDepthMax)
    throw node.error(`criteria nested deeper than ${limits.criteriaDepthMax}`);
  const kind = kindOf(node);
  const body = node.member(kind);
  switch (kind) {
    case 'all':
      return { all: parseNodes(body, budget) };
    case 'any':
      return { any: parseNodes(body, budget) };
    case 'not':
      return { not: parseBelow(body, budget) };
    case 'package':
      return { package: parsePackage(body) };
    case 'advisory':
      return { advisory: parseAdvisory(body) };
    case 'file':
      return { file: parseFile(body) };
    case 'secret':
      return { secret: parseSecret(body) };
    case 'config':
      return { config: parseConfig(body) };
    case 'license':
      return { license: parseLicense(body) };
  }
}

function kindOf(node: Field): (typeof kinds)[number] {
  for (const key of Object.keys(node.object()))
    if (laterKinds.includes(key)) throw node.member(key).error('this kind of criteria is not supported yet');
  node.keys(kinds);
  const found = kinds.filter((kind) => node.optional(kind) !== undefined);
  const [kind] = found;
  if (kind === undefined) throw node.error(`must have one of ${kinds.join(', ')}`);
  if (found.length > 1)
    throw node.error(
      `must have exactly one of ${kinds.join(', ')}, not ${found.join(' and ')}; join them with all or any`,
    );
  return kind;
}

function parseNodes(list: Field, budget: Budget): readonly Criteria[] {
  const items = list.items(limits.criteriaNodesMax);
  if (items.length === 0) throw list.error('must not be empty');
  return items.map((item) => parseBelow(item, budget));
}

function parseBelow(node: Field, budget: Budget): Criteria {
  budget.depth++;
  const criteria = parseNode(node, budget);
  budget.depth--;
  return criteria;
}

function parsePackage(body: Field): PackageCriteria['package'] {
  body.keys(['purl', 'versions', 'in']);
  const purlField = body.member('purl');
  const purl = parsePurl(purlField);
  if (purl.qualifiers !== undefined || purl.subpath !== undefined)
    throw purlField.error('must have no qualifiers and no subpath');
  const versionsField = body.optional('versions');
  const versions = versionsField?.text(limits.versionRangeLengthMax);
  if (versionsField !== undefined && versions !== undefined) {
    if (purl.version !== undefined)
      throw versionsField.error('cannot be given with a purl that names a version');
    checkVersions(versionsField, versions, purl.type);
  }
  return { purl: purl.toString(), ...(versions === undefined ? {} : { versions }), ...parsePlace(body) };
}

function parsePurl(field: Field): PackageURL {
  const text = field.text(1_024);
  try {
    return PackageURL.fromString(text);
  } catch (cause) {
    throw field.error(`'${text.slice(0, 200)}' is not a package URL such as pkg:npm/lodash`, { cause });
  }
}

function checkVersions(field: Field, versions: string, purlType: string): void {
  const scheme = schemeOfPurlType(purlType);
  if (scheme === undefined) throw field.error(`versions of pkg:${purlType} cannot be compared yet`);
  try {
    parseVersionRange(versions, scheme);
  } catch (cause) {
    if (cause instanceof LazaretError) throw field.error(cause.message, { cause });
    throw cause;
  }
}

function parseAdvisory(body: Field): AdvisoryCriteria['advisory'] {
  body.keys(['id', 'severity', 'fixed', 'in']);
  const id = body.optional('id');
  const severity = body.optional('severity')?.oneOf(severities);
  const fixed = body.optional('fixed')?.boolean();
  if (id === undefined && severity === undefined && fixed === undefined)
    throw body.error('must have at least one of id, severity, fixed');
  return {
    ...(id === undefined ? {} : { id: parseAdvisoryId(id) }),
    ...(severity === undefined ? {} : { severity }),
    ...(fixed === undefined ? {} : { fixed }),
    ...parsePlace(body),
  };
}

function parseAdvisoryId(field: Field): string {
  const id = field.text(128);
  if (/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(id)) return id;
  throw field.error(`'${id}' is not the id of an advisory`);
}

function parseFile(body: Field): FileCriteria['file'] {
  body.keys(['path', 'sha256', 'setuid', 'in']);
  const path = body.optional('path');
  const sha256 = body.optional('sha256');
  const setuid = body.optional('setuid')?.boolean();
  if (path === undefined && sha256 === undefined && setuid === undefined)
    throw body.error('must have at least one of path, sha256, setuid');
  return {
    ...(path === undefined ? {} : { path: parseGlob(path) }),
    ...(sha256 === undefined ? {} : { sha256: parseSha256(sha256) }),
    ...(setuid === undefined ? {} : { setuid }),
    ...parsePlace(body),
  };
}

function parseSha256(field: Field): string {
  const hex = field.string();
  if (/^[a-f0-9]{64}$/.test(hex)) return hex;
  throw field.error('must be 64 lower-case hexadecimal digits');
}
