import type { advisoryImport, advisoryShow, advisoryStatus } from '../contract/advisories.ts';
import type { RouteAnswer } from '../contract/route.ts';
import type { Table } from './output.ts';
import { countText, timeText } from './words.ts';

type Imported = RouteAnswer<typeof advisoryImport>;
type Sources = RouteAnswer<typeof advisoryStatus>['sources'];
type Shown = RouteAnswer<typeof advisoryShow>;

const kinds = { osv: 'advisories', kev: 'known exploited', epss: 'EPSS' } as const;

export function importText(imported: Imported & { file: string }): string {
  const { file, kind, read, changed, unchanged, withdrawn, brokenCount, findings, tookMs } = imported;
  const seconds = `${(tookMs / 1000).toFixed(2)} s`;
  if (kind === 'kev' || kind === 'epss')
    return `${file}: ${read} CVEs (${kinds[kind]}), ${changed} changed  ${seconds}`;
  const parts = [
    `${countText(changed, 'advisory').replace(/advisorys$/, 'advisories')} new or changed`,
    ...(withdrawn > 0 ? [`${withdrawn} of them withdrawn`] : []),
    `${unchanged} unchanged`,
    ...(brokenCount > 0 ? [`${brokenCount} can't be read`] : []),
    `${countText(findings.new, 'new finding')}, ${findings.ended} ended`,
  ];
  return `${file}: ${parts.join(' · ')}  ${seconds}`;
}

export function statusTable(sources: Sources): Table | string {
  if (sources.length === 0)
    return 'none is loaded: whether an advisory applies is unknown for every image\nload some with: lazaret advisory import PLACE --source NAME';
  return {
    columns: ['source', 'what', 'documents', 'unreadable', 'last loaded', 'from'],
    rows: sources.map(({ source, kind, documents, unreadable, importedAt, feed }) => [
      source,
      kinds[kind],
      documents,
      unreadable === 0 ? null : unreadable,
      importedAt === null ? (documents > 0 ? 'not to its end' : 'never') : timeText(importedAt),
      feed?.url ?? null,
    ]),
    shorten: { from: 'end' },
  };
}

export function severityTable(
  severities: NonNullable<RouteAnswer<typeof advisoryStatus>['severities']>,
): Table {
  return {
    columns: ['source', 'advisories', 'distribution', 'CVSS', 'word', 'alias', 'unknown', 'unknown %'],
    rows: severities.map(({ source, distribution, cvss, word, alias, none }) => {
      const all = distribution + cvss + word + alias + none;
      return [source, all, distribution, cvss, word, alias, none, ((100 * none) / all).toFixed(1)];
    }),
  };
}

export function advisoryText({ advisories, exploits }: Shown): string {
  return [...advisories.map(oneText), ...exploits.flatMap(exploitText)].join('\n');
}

function oneText(advisory: Shown['advisories'][number]): string {
  const { id, source, flaw, summary, severity, severityScore, severityFrom } = advisory;
  const { modifiedAt, withdrawnAt, unreadable, packagesFound } = advisory;
  const score = severityScore === null ? '' : ` ${severityScore.toFixed(1)}`;
  const lines = [
    `${id}  (${source})${flaw === id ? '' : `  ${flaw}`}`,
    ...(summary === null ? [] : [`  ${summary}`]),
    `  severity ${severity}${score}${severityFrom === null ? '' : ` (${severityFrom})`} · ${
      unreadable && modifiedAt === 0 ? 'never readable' : `modified ${timeText(modifiedAt)}`
    } · applies, or may, to ${countText(packagesFound, 'package version')} here`,
    ...(withdrawnAt === null ? [] : [`  withdrawn ${timeText(withdrawnAt)}`]),
    ...(unreadable ? [`  can't be read (${unreadable.place ?? '?'}): ${unreadable.reason}`] : []),
  ];
  return lines.join('\n');
}

function exploitText({ cve, exploited, epss }: Shown['exploits'][number]): string[] {
  const ransomware = exploited?.ransomware ? ', also by ransomware' : '';
  return [
    ...(exploited
      ? [`${cve} is known to be exploited since ${exploited.addedOn}${ransomware} (CISA KEV)`]
      : []),
    ...(epss
      ? [
          `${cve} EPSS ${(epss.score * 100).toFixed(2)} % in 30 days, more than ${(epss.percentile * 100).toFixed(0)} % of all`,
        ]
      : []),
  ];
}
