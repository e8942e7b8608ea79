import { style, tableText } from '../output.ts';
import { countText, digestText, sizeText } from '../words.ts';
import type { Difference, ImportReport, KindCounts, RepositoryReport } from './import-report.ts';

/** Repositories of which a person is shown each; more of them are only added up. */
const repositoriesShown = 40;
const differencesShown = 40;

export function reportText(report: ImportReport, styled: boolean): string {
  const { repositories, dryRun, remark } = report;
  return [
    `${dryRun ? 'would import' : 'imported'} ${report.source} → ${report.destination}`,
    ...(repositories.length > repositoriesShown ? [] : [tableOf(repositories, dryRun, styled)]),
    totalText(report),
    ...(remark === null ? [] : [remark]),
    ...differencesText(report),
    style(report.complete ? 'green' : 'red', endText(report), styled),
  ].join('\n');
}

function tableOf(repositories: readonly RepositoryReport[], dryRun: boolean, styled: boolean): string {
  return tableText(
    {
      columns: ['repository', 'tags', 'manifests', 'referrers', 'blobs', dryRun ? 'to send' : 'sent'],
      rows: repositories.map((one) => [
        one.repository,
        doneText(one.tags),
        doneText(one.manifests),
        doneText(one.referrers),
        doneText(one.blobs),
        sizeText(one.copiedBytes),
      ]),
    },
    styled,
  );
}

/** `12/14`: so many of all are at the destination (or would be). */
function doneText({ copied, present, lacking }: KindCounts): string {
  const done = copied + present;
  return lacking === 0 ? String(done) : `${done}/${done + lacking}`;
}

const kinds = [
  ['tags', 'tag'],
  ['manifests', 'manifest'],
  ['referrers', 'referrer'],
  ['blobs', 'blob'],
] as const;

function totalText({ repositories, dryRun, tookMs }: ImportReport): string {
  const sum = (of: (one: RepositoryReport) => number) =>
    repositories.reduce((total, one) => total + of(one), 0);
  const parts = (became: 'copied' | 'present') =>
    kinds
      .map(([key, noun]) =>
        countText(
          sum((one) => one[key][became]),
          noun,
        ),
      )
      .join(', ');
  const seconds = tookMs / 1_000;
  const bytes = sum((one) => one.copiedBytes);
  const mounted = sum((one) => one.mounted);
  const shared = mounted === 0 ? '' : ` (${countText(mounted, 'blob')} mounted from another repository)`;
  const foreign = sum((one) => one.foreign);
  const rate = dryRun || seconds < 1 ? '' : ` at ${sizeText(bytes / seconds)}/s`;
  return [
    `${dryRun ? 'to copy' : 'copied'}: ${parts('copied')} · ${sizeText(bytes)}${shared} in ${seconds.toFixed(1)} s${rate}`,
    `already there: ${parts('present')}`,
    ...(foreign > 0
      ? [`${countText(foreign, 'layer')} left out: fetched from elsewhere by whoever runs the image`]
      : []),
  ].join('\n');
}

function differencesText({ dryRun, differences, differencesLeftOut }: ImportReport): string[] {
  if (differences.length === 0) return [];
  const shown = differences.slice(0, differencesShown);
  const more = differences.length - shown.length + differencesLeftOut;
  return [
    `${dryRun ? 'would not be' : 'not'} at the destination:`,
    ...shown.map((one) => `  ${lineOf(one)}`),
    ...(more > 0 ? [`  … and ${more} more (-o json)`] : []),
  ];
}

function lineOf({ repository, what, lack, reason }: Difference): string {
  const short = `${what}: ${reason}`.replace(/sha(?:256|512):[0-9a-f]{64,}/g, digestText);
  return `${lack.padEnd(7)}  ${repository}  ${short}`;
}

function endText({ complete, dryRun, differences, differencesLeftOut }: ImportReport): string {
  if (complete)
    return dryRun ? 'nothing of it would be missing' : 'complete: all of it is at the destination';
  const count = differences.length + differencesLeftOut;
  if (dryRun) return `${countText(count, 'difference')} would remain`;
  return `incomplete: ${countText(count, 'difference')}; what is there is kept, and the same command goes on from here`;
}
