import { Field } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { parseAdvisory } from './advisory.ts';
import { parseConfig } from './config.ts';
import type { Criteria } from './criteria.ts';
import { parseFile } from './file.ts';
import { parseImage } from './image.ts';
import { parseLicense } from './license.ts';
import { parseMalware } from './malware.ts';
import { parsePackage } from './package.ts';
import { parseSecret } from './secret.ts';

const kinds = [
  'all',
  'any',
  'not',
  'package',
  'advisory',
  'file',
  'secret',
  'malware',
  'config',
  'license',
  'image',
] as const;

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
    case 'malware':
      return { malware: parseMalware(body) };
    case 'config':
      return { config: parseConfig(body) };
    case 'license':
      return { license: parseLicense(body) };
    case 'image':
      return { image: parseImage(body) };
  }
}

function kindOf(node: Field): (typeof kinds)[number] {
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
