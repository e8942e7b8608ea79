import type { RouteAnswer } from '../contract/route.ts';
import type { scanCompare, scanCreate } from '../contract/scans.ts';
import { limits } from '../lib/limits.ts';
import { style, type Table, tableText, tableWidth } from './output.ts';
import { countText, digestText, exceptedText, listText, purlName, purlText, shortText } from './words.ts';

export type ScanAnswer = RouteAnswer<typeof scanCreate>;
type Result = ScanAnswer['images'][number];
type Found = Result['evidence'][number];

/** Reasons of one image that a person is shown. */
const reasonsMax = 4;

/** At most 100 columns wide; what matches first, then what nobody can tell, then what the answer rests on. */
export function answerText(answer: ScanAnswer, styled: boolean): string {
  const { counts } = answer;
  const matching = answer.images.filter(({ verdict }) => verdict === 'match');
  const unknown = answer.images.filter(({ verdict }) => verdict === 'unknown');
  return [
    style(counts.match > 0 ? 'red' : counts.unknown > 0 ? 'yellow' : 'green', headText(answer), styled),
    summaryText(answer),
    ...(matching.length > 0 ? ['', tableText(matchTable(matching), styled)] : []),
    ...moreText(counts.match - matching.length, 'match'),
    ...(unknown.length > 0 ? ['', style('yellow', tableText(unknownTable(unknown), false), styled)] : []),
    ...moreText(counts.unknown - unknown.length, 'unknown'),
    '',
    ...coversText(answer),
  ].join('\n');
}

/** Images that match now and did not, have new findings, do not match any more, or of which nobody can tell any more. */
export function diffTable(diff: RouteAnswer<typeof scanCompare>): string {
  const rows = (change: string, images: typeof diff.appeared) =>
    images.map(({ image, other }) => [
      change,
      image?.repository ?? 'gone',
      image === null ? null : digestText(image.digest),
      other,
    ]);
  const renewed = diff.renewed.flatMap(({ image, evidence, evidenceCount }) =>
    [
      ...evidence.slice(0, reasonsMax).map((found) => whatText(found)),
      ...(evidenceCount > reasonsMax ? [`… and ${evidenceCount - reasonsMax} more`] : []),
    ].map((what, at) => [
      at === 0 ? 'new findings' : '',
      at === 0 ? image.repository : '',
      at === 0 ? digestText(image.digest) : '',
      what,
    ]),
  );
  const changed = [
    ...rows('appeared', diff.appeared),
    ...renewed,
    ...rows('ended', diff.ended),
    ...rows('unknown', diff.unknown),
  ];
  const head = `${diff.before} → ${diff.after}  ${diff.appeared.length} appeared, ${diff.ended.length} ended, ${diff.unknown.length} unknown, ${diff.stayed} as before${
    diff.renewed.length > 0 ? `, ${diff.renewed.length} of them with new findings` : ''
  }`;
  if (changed.length === 0) return head;
  const table = {
    columns: ['change', 'image', 'digest', 'otherwise'],
    rows: changed,
    shorten: { image: 'start', otherwise: 'start' },
  } as const;
  return [head, `  ${diff.question}`, '', tableText(table, false)].join('\n');
}

function headText({ name, counts, covers, question }: ScanAnswer): string {
  return shortText(`${name}  ${counts.match} of ${covers.images} images match: ${question}`, tableWidth);
}

function summaryText({ counts, covers, tookMs }: ScanAnswer): string {
  const { known, neverSeen } = covers.running;
  return [
    `${counts.match > limits.scanTagsMax ? 'at least ' : ''}${countText(counts.tags, 'tag')}`,
    `${countText(counts.containers, 'container')} in ${countText(counts.regions, 'region')}`,
    `${counts.unknown} unknown`,
    `running ${known + neverSeen}, never seen here ${neverSeen}`,
    `${(tookMs / 1000).toFixed(3)} s`,
  ].join(' · ');
}

/** Columns that no reason has anything for are left out. */
function matchTable(images: readonly Result[]): Table {
  const shown = images.flatMap(({ evidence }) => evidence.slice(0, reasonsMax));
  const optional = {
    severity: shown.some(({ severity }) => severity !== null),
    'fixed in': shown.some(({ fixedVersion }) => fixedVersion !== null),
  };
  const columns = (['image', 'severity', 'what', 'fixed in', 'where'] as const).filter(
    (column) => (column !== 'severity' && column !== 'fixed in') || optional[column],
  );
  return {
    columns,
    rows: images.flatMap(imageRows).map((row) => columns.map((column) => row[column] ?? '')),
    shorten: { image: 'start', what: 'start', where: 'end' },
  };
}

type Row = Readonly<Partial<Record<'image' | 'severity' | 'what' | 'fixed in' | 'where', string>>>;

/** The image, with its reasons one below the other, and then where it runs. */
function imageRows(image: Result): Row[] {
  const shown = image.evidence.slice(0, reasonsMax);
  const more = image.evidenceCount - shown.length;
  const rows: Row[] = [
    ...shown.map((found) => ({
      severity: found.severity ?? '',
      what: whatText(found),
      'fixed in': found.fixedVersion ?? '',
      where: whereText(found),
    })),
    ...(more > 0 ? [{ what: `… and ${more} more` }] : []),
    ...(shown.length === 0 ? [{ what: nothingShown(image) }] : []),
    ...image.above.containers.map(({ deployment, instance, region }) => ({
      what: `runs: ${deployment}`,
      where: `${instance} in ${region}`,
    })),
  ];
  return rows.map((row, at) => (at === 0 ? { ...row, image: imageText(image) } : row));
}

function nothingShown({ verdictNow }: Result): string {
  return verdictNow === 'match'
    ? 'the image as a whole'
    : `${verdictNow === 'noMatch' ? 'no match' : 'unknown'} now`;
}

function unknownTable(images: readonly Result[]): Table {
  return {
    columns: ['image', 'unknown because'],
    rows: images.map((image) => [imageText(image), reasonText(image)]),
    shorten: { image: 'start', 'unknown because': 'start' },
  };
}

function reasonText({ reason }: Result): string {
  return reason?.replace(/sha256:[0-9a-f]{64}/g, digestText) ?? 'it matches now';
}

/** An image of an index shares its tags with the other platforms. */
function imageText({ repository, digest, platform, above }: Result): string {
  const tags = above.tags.map(({ tag }) => tag).join(',');
  if (tags === '') return `${repository}@${digestText(digest)}`;
  return `${repository}:${tags}${above.indexes.length > 0 && platform !== null ? ` ${platform}` : ''}`;
}

function whatText(found: Found): string {
  const nameOf = found.advisory === null ? purlText : purlName;
  const named = found.purl === null ? null : nameOf(found.purl);
  const what = [found.advisory, named, found.secret, found.malware].filter(
    (part) => part !== null && part !== undefined,
  );
  return what.length > 0 ? what.join(' ') : found.layer === null ? 'config' : 'file';
}

/** `app/key.pem:3 (layer 0123456789ab)` */
function whereText(found: Found): string {
  const line = found.line === undefined ? '' : `:${found.line}`;
  const place = found.layer === null ? 'config' : `layer ${found.layer.slice(7, 19)}`;
  return `${found.path ?? ''}${line} (${place})`;
}

function moreText(count: number, verdict: 'match' | 'unknown'): string[] {
  return count > 0 ? [`… and ${count} more ${verdict === 'match' ? 'match' : 'are unknown'} (-o json)`] : [];
}

function coversText({ covers, answeredAt }: ScanAnswer): string[] {
  const uninspected = covers.uninspected > 0 ? `, ${covers.uninspected} of them not inspected` : '';
  const regions = covers.regions.map(({ name, self, heardAt }) => {
    if (self) return `${name} (here)`;
    return heardAt === null ? `${name} never heard` : `${name} heard ${ageText(answeredAt - heardAt)} ago`;
  });
  return [
    `covers: ${countText(covers.images, 'image')}${uninspected}${covers.truncated ? ', too many to list' : ''}${
      covers.images === 0 ? ': none is in scope' : ''
    }`,
    ...exceptedLines(covers.excepted),
    ...(regions.length > 0 ? [listText('regions', regions, tableWidth)] : []),
    ...feedsText(covers.advisorySources, answeredAt),
  ];
}

function exceptedLines({ images, by }: ScanAnswer['covers']['excepted']): string[] {
  if (by.length === 0) return [];
  return [
    `excepted: findings in ${countText(images, 'image')} without a match`,
    ...by.map((one) =>
      shortText(`  ${one.advisory} in ${countText(one.images, 'image')} ${exceptedText(one)}`, tableWidth),
    ),
  ];
}

type Source = ScanAnswer['covers']['advisorySources'][number];

/** Whether any advisory was ever loaded. */
export function isFed(sources: readonly Source[]): boolean {
  return sources.some(
    ({ kind = 'osv', importedAt, documents }) => kind === 'osv' && (importedAt !== null || documents > 0),
  );
}

function feedsText(sources: readonly Source[], nowMs: number): string[] {
  return [
    ...(isFed(sources) ? [] : ['advisories: none loaded; load some with: lazaret advisory import FILE']),
    ...(sources.length === 0
      ? []
      : [
          listText(
            'sources',
            sources.map((source) => sourceText(source, nowMs)),
            tableWidth,
          ),
        ]),
  ];
}

const sourceKinds = { osv: 'advisories', kev: 'known exploited', epss: 'scores of EPSS' } as const;

function sourceText(source: Source, nowMs: number): string {
  const { kind = 'osv', documents, importedAt, unreadable = 0, error = null } = source;
  const facts = [
    `${documents.toLocaleString('en')} ${kind === 'osv' && documents === 1 ? 'advisory' : sourceKinds[kind]}`,
    ...(unreadable > 0 ? [`${unreadable.toLocaleString('en')} can’t be read`] : []),
    importedAt === null
      ? documents > 0
        ? 'not loaded to its end'
        : 'never loaded'
      : `${ageText(nowMs - importedAt)} old`,
    ...(error === null ? [] : ['the last fetch failed']),
  ];
  return `${source.source} (${facts.join(', ')})`;
}

/** `9 min`, the largest unit that fits. */
export function ageText(ms: number): string {
  const minutes = Math.max(0, Math.floor(ms / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}
