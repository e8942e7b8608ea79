/**
 * OpenVEX 0.2.0 (https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md): who says of which products that a
 * vulnerability does not concern them, and why. What decides is read strictly, and a mistake names the path of its field;
 * what only describes is left alone.
 */
import type { Field } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { addressOf, type VexTarget } from './products.ts';

export const openVexMediaType = 'application/vnd.openvex+json';

const context = 'https://openvex.dev/ns/v0.2.0';
const statuses = ['not_affected', 'affected', 'fixed', 'under_investigation'] as const;
export const vexJustifications = [
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
] as const;

/** Statuses by which a finding does not count; the others say that it does, or that nobody knows yet. */
export type ExceptingStatus = 'not_affected' | 'fixed';

export interface VexDocument {
  /** `@id`: the same over all versions of the document. */
  readonly id: string;
  readonly author: string;
  readonly version: number;
  /** When it was last changed, milliseconds since 1970. */
  readonly issuedAt: number;
  readonly statements: readonly VexStatement[];
}

export interface VexStatement {
  /** `vex.statements[3]` */
  readonly path: string;
  readonly status: (typeof statuses)[number];
  /** The vulnerability's name, then what else it is called. */
  readonly advisory: string;
  readonly aliases: readonly string[];
  readonly justification: (typeof vexJustifications)[number] | null;
  /** What its author says about it, in words. */
  readonly text: string | null;
  readonly targets: readonly VexTarget[];
  /** Products that can't be told in an image. */
  readonly unaddressed: readonly { readonly path: string; readonly reason: string }[];
}

/** @throws the document's code, with the path */
export function parseVexDocument(document: Field): VexDocument {
  const given = document.member('@context').text(512);
  if (given !== context)
    throw document.member('@context').error(`'${given.slice(0, 80)}' is not OpenVEX 0.2.0, ${context}`);
  const changed = document.optional('last_updated') ?? document.member('timestamp');
  return {
    id: document.member('@id').text(limits.vexNameLengthMax),
    author: document.member('author').text(limits.vexNameLengthMax),
    version: document.member('version').count(),
    issuedAt: timeOf(changed),
    statements: parseStatements(document.member('statements')),
  };
}

function parseStatements(list: Field): readonly VexStatement[] {
  let targets = 0;
  return list.items(limits.vexTargetsMax).map((field) => {
    const statement = parseStatement(field);
    targets += statement.targets.length;
    if (targets > limits.vexTargetsMax)
      throw list.error(`names more than ${limits.vexTargetsMax} products; split the document`);
    return statement;
  });
}

function parseStatement(statement: Field): VexStatement {
  const vulnerability = statement.member('vulnerability');
  const status = statement.member('status').oneOf(statuses);
  const advisory = vulnerability.member('name').text(limits.advisoryNameLengthMax);
  const aliases = vulnerability.optionalOrNull('aliases')?.items(limits.vexAliasesMax) ?? [];
  const justification = statement.optional('justification')?.oneOf(vexJustifications) ?? null;
  const impact = textOf(statement, 'impact_statement');
  if (status === 'not_affected' && justification === null && impact === null)
    throw statement.error("'not_affected' needs a justification or an impact_statement");
  const products = statement.optionalOrNull('products')?.items(limits.vexTargetsMax) ?? [];
  const addressed = products.map(addressOf);
  return {
    path: statement.path,
    status,
    advisory,
    aliases: [...new Set(aliases.map((alias) => alias.text(limits.advisoryNameLengthMax)))],
    justification: status === 'not_affected' ? justification : null,
    text: impact ?? textOf(statement, 'status_notes'),
    targets: addressed.flatMap(({ targets }) => targets),
    unaddressed: addressed.flatMap(({ unaddressed }) => unaddressed),
  };
}

function textOf(statement: Field, key: string): string | null {
  return statement.optionalOrNull(key)?.string(limits.vexTextLengthMax) || null;
}

/** RFC 3339. */
function timeOf(field: Field): number {
  const text = field.text(64);
  const ms = /^\d{4}-\d{2}-\d{2}T/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) throw field.error(`'${text}' is not a time such as 2026-11-30T12:00:00Z`);
  return ms;
}
