import { LazaretError } from '../../lib/errors.ts';
import { Field } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import type { OsvAdvisory, OsvAffected, OsvEvent, OsvPackage, OsvRange, OsvSeverity } from './advisory.ts';

const listMax = 10_000;
const textMax = limits.advisoryBytesMax;

/**
 * Unknown fields are ignored. The one count that is limited over the whole document is that of ranges.
 * @throws invalid, with `detail.path` (`advisory.affected[0].ranges[1].events`) and, where it could be read, `detail.id`
 */
export function parseOsv(value: unknown): OsvAdvisory {
  const document = new Field(value, 'advisory');
  const id = parseId(document.member('id'));
  try {
    return parseBody(document, id);
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error;
    throw new LazaretError(error.code, `${id}: ${error.message}`, {
      detail: { ...error.detail, id },
      cause: error.cause,
    });
  }
}

function parseBody(document: Field, id: string): OsvAdvisory {
  const budget = { ranges: 0 };
  return {
    id,
    modified: parseTime(document.member('modified')),
    ...named('published', document.optionalOrNull('published'), parseTime),
    ...named('withdrawn', document.optionalOrNull('withdrawn'), parseTime),
    aliases: texts(document.optionalOrNull('aliases')),
    upstream: texts(document.optionalOrNull('upstream')),
    related: texts(document.optionalOrNull('related')),
    ...named('summary', document.optionalOrNull('summary'), (field) => field.string(textMax)),
    ...named('details', document.optionalOrNull('details'), (field) => field.string(textMax)),
    severity: parseSeverities(document.optionalOrNull('severity')),
    ...named('severityWord', wordOf(document.optionalOrNull('database_specific'), 'severity'), String),
    affected:
      document
        .optionalOrNull('affected')
        ?.items(listMax)
        .map((item) => parseAffected(item, budget)) ?? [],
  };
}

function parseId(field: Field): string {
  const id = field.text(128);
  if (/^[A-Za-z0-9][A-Za-z0-9_.:-]*$/.test(id)) return id;
  throw field.error(`'${id}' is not the id of an advisory`);
}

function parseTime(field: Field): string {
  const text = field.text(64);
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text))) return text;
  throw field.error(`'${text}' is not a time`);
}

function parseAffected(field: Field, budget: { ranges: number }): OsvAffected {
  const ranges = field.optionalOrNull('ranges');
  const items = ranges?.items(limits.advisoryRangesMax) ?? [];
  budget.ranges += items.length;
  if (budget.ranges > limits.advisoryRangesMax)
    throw (ranges ?? field).error(`more than ${limits.advisoryRangesMax} ranges in one advisory`);
  const own = field.optionalOrNull('ecosystem_specific');
  const distribution = wordOf(own, 'urgency') ?? wordOf(own, 'ubuntu_priority');
  return {
    ...named('package', field.optionalOrNull('package'), parsePackage),
    ranges: items.map(parseRange),
    versions: texts(field.optionalOrNull('versions'), limits.advisoryVersionsMax),
    severity: parseSeverities(field.optionalOrNull('severity')),
    ...named(
      'severityWord',
      wordOf(field.optionalOrNull('database_specific'), 'severity') ?? wordOf(own, 'severity'),
      String,
    ),
    ...named('distributionWord', distribution, String),
  };
}

function parsePackage(field: Field): OsvPackage {
  return {
    ecosystem: field.member('ecosystem').text(256),
    name: field.member('name').text(1_024),
    ...named('purl', field.optionalOrNull('purl'), (purl) => purl.text(2_048)),
  };
}

function parseRange(field: Field): OsvRange {
  const events = field.member('events');
  return {
    type: field.member('type').oneOf(['SEMVER', 'ECOSYSTEM', 'GIT']),
    events: events.items(limits.advisoryRangesMax).flatMap(parseEvents),
  };
}

/** One event an object by the schema; records of before that rule have `introduced` and `fixed` in one. */
function parseEvents(field: Field): readonly OsvEvent[] {
  const keys = {
    introduced: 'introduced',
    fixed: 'fixed',
    last_affected: 'lastAffected',
    limit: 'limit',
  } as const;
  const events = Object.entries(keys).flatMap(([key, kind]) => {
    const version = field.optionalOrNull(key);
    return version === undefined ? [] : [{ kind, version: version.text(1_024) }];
  });
  if (events.length === 0) throw field.error('has none of introduced, fixed, last_affected, limit');
  return events;
}

function parseSeverities(list: Field | undefined): readonly OsvSeverity[] {
  return (
    list
      ?.items(100)
      .map((item) => ({ type: item.member('type').text(64), score: item.member('score').string(1_024) })) ??
    []
  );
}

function texts(list: Field | undefined, countMax = listMax): readonly string[] {
  return list?.items(countMax).map((item) => item.string(1_024)) ?? [];
}

/** What a source adds of its own has no fixed shape: anything but a word is no rating. */
function wordOf(own: Field | undefined, key: string): string | undefined {
  if (own === undefined || typeof own.value !== 'object') return undefined;
  const value = Array.isArray(own.value) ? undefined : own.optional(key)?.value;
  return typeof value === 'string' && value.length <= 64 ? value : undefined;
}

/** `{ [key]: read(value) }`, or nothing for an absent value. */
function named<const Key extends string, From, To>(
  key: Key,
  value: From | undefined,
  read: (value: From) => To,
): { readonly [K in Key]?: To } {
  const result: { [K in Key]?: To } = {};
  if (value !== undefined) result[key] = read(value);
  return result;
}
