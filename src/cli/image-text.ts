import type { imageShow } from '../contract/images.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { tableWidth } from './output.ts';
import { countText, digestText, shortText, sizeText } from './words.ts';

type ShownImage = RouteAnswer<typeof imageShow>;

/** What a person asks first: is it read, of what is it, what applies to it? */
export function imageText(image: ShownImage): string {
  const lines = [headText(image), `  ${factsText(image)}`];
  if (image.malware !== null) lines.push(`  ${malwareText(image.malware)}`);
  if (image.config !== null) lines.push(...configLines(image.config).map((line) => `  ${line}`));
  if (image.base !== null) lines.push(`  ${baseText(image.base, image.layers.length)}`);
  if (image.quarantine !== null)
    lines.push(`  quarantined (${image.quarantine.name}): ${image.quarantine.reason}`);
  if (image.isRenewed)
    lines.push(
      `  read again by newer extractors; until that is here this is of inventory version ${image.inventoryVersion}`,
    );
  if (image.withdrawn) lines.push('  withdrawn: a layer of it was collected');
  if (image.reason !== null) lines.push(`  ${image.state}: ${image.reason}`);
  return lines.join('\n');
}

/** Of each image of an index the same in short. @param images those of its children that are read, or are to be */
export function indexText(index: ShownImage, images: readonly ShownImage[]): string {
  const lines = [headText(index)];
  for (const child of index.children) {
    const image = images.find(({ digest }) => digest === child.digest);
    const isBeside = (image ?? child).state === 'notApplicable';
    lines.push(
      `  ${isBeside ? 'no file system' : (child.platform ?? 'not here')}  ${digestText(child.digest)}`,
    );
    if (image === undefined || isBeside) continue;
    lines.push(`    ${factsText(image)}`);
    if (image.reason !== null) lines.push(`    ${image.state}: ${image.reason}`);
  }
  return lines.join('\n');
}

function headText({ repository, tags, digest }: ShownImage): string {
  return `${repository}${tags.length > 0 ? `:${tags.join(', :')}` : ''}  ${digest}`;
}

function factsText(image: ShownImage): string {
  const facts = [layersText(image), image.os, countsText(image.packages), advisoriesText(image)];
  return facts.filter((fact) => fact !== null).join(' · ');
}

function malwareText({ state, reason, found }: NonNullable<ShownImage['malware']>): string {
  const files = found === 0 ? [] : [`in ${countText(found, 'file')} of its layers`];
  const parts = [...files, ...(state === 'unknown' ? [`unknown: ${reason}`] : [])];
  return `malware: ${parts.length === 0 ? 'none found' : parts.join('; ')}`;
}

function layersText({ layers }: ShownImage): string {
  const read = layers.filter((layer) => layer.state === 'done').length;
  const seconds = layers.reduce((total, layer) => total + layer.durationMs, 0) / 1_000;
  const size = sizeText(layers.reduce((total, layer) => total + layer.sizeBytes, 0));
  return `${read}/${countText(layers.length, 'layer')} in ${seconds.toFixed(1)} s · ${size}`;
}

function baseText(base: NonNullable<ShownImage['base']>, layers: number): string {
  const name = base.tags.length > 0 ? `${base.repository}:${base.tags.join(', :')}` : base.repository;
  return `base: ${name}  ${digestText(base.digest)} · ${base.layers} of ${countText(layers, 'layer')}`;
}

/** How it runs; its history and long labels are in the JSON. */
export function configLines(config: NonNullable<ShownImage['config']>): string[] {
  const { os, architecture, variant, user, workingDir, exposedPorts, stopSignal } = config;
  const facts = [
    [os, architecture, variant].filter(Boolean).join('/'),
    `user ${user === '' ? 'root' : user}`,
    workingDir === '' ? '' : `in ${workingDir}`,
    exposedPorts.length === 0 ? '' : `ports ${exposedPorts.join(' ')}`,
    stopSignal === undefined ? '' : `stopped by ${stopSignal}`,
  ];
  const lines = [`config: ${facts.filter((fact) => fact !== '').join(' · ')}`];
  const command = [...config.entrypoint, ...config.cmd];
  if (command.length > 0) lines.push(`command: ${shortText(command.map(quoted).join(' '), tableWidth)}`);
  if (config.env.length > 0) lines.push(`environment: ${config.env.join(' ')}`);
  for (const [name, value] of Object.entries(config.labels))
    lines.push(shortText(`label: ${name}=${value}`, tableWidth));
  return lines;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : JSON.stringify(word);
}

const typeNames: Readonly<Record<string, string>> = { deb: 'dpkg' };

/** @param packages by purl type */
export function countsText(packages: Readonly<Record<string, number>>): string {
  const counts = Object.entries(packages).map(([type, count]) => `${count} ${typeNames[type] ?? type}`);
  return counts.length === 0 ? 'no packages' : counts.join(', ');
}

function advisoriesText(image: ShownImage): string {
  const { findings, fixable, undecided, excepted, advisorySources, advisoryGaps, state } = image;
  if (advisorySources === 0) return 'advisories: unknown, none loaded';
  const { critical, high, medium, low, none, unknown } = findings;
  const counts = Object.entries({ critical, high, medium, low, none, 'severity unknown': unknown })
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => `${count} ${severity}`);
  const isWhole = state === 'done' && undecided === 0 && advisoryGaps.length === 0;
  const found =
    counts.length > 0 ? `${counts.join(', ')} (${fixable} fixable)` : isWhole ? 'none applies' : 'unknown';
  return [
    `advisories: ${found}`,
    ...(undecided > 0 ? [`${undecided} may apply`] : []),
    ...(excepted > 0 ? [`${excepted} excepted`] : []),
    ...advisoryGaps,
  ].join('; ');
}
