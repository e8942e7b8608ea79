/**
 * What one image has that another has not. Packages and findings are compared whole, in memory, since an image has few of
 * them; files are merged as they come, in the order of their paths, so that no image's are in memory together.
 */
import { cursorText, parseCursor } from '../../lib/cursor.ts';
import { limits } from '../../lib/limits.ts';
import type { ImageFinding } from '../../records/advisories/image-findings.ts';
import type { Database } from '../../records/db/database.ts';
import { fileList, type ListedFile } from '../../records/inventory/file-list.ts';
import { imageContents } from '../../records/inventory/image-contents.ts';
import type { InventoryPage } from '../../records/inventory/list.ts';
import { findingsIn } from './image-findings.ts';

/** Of two images, by the ids of their manifests. */
export interface DiffAsk {
  readonly from: number;
  readonly to: number;
  /** A glob of the path, for files. */
  readonly path?: string | undefined;
  readonly after?: string | undefined;
  readonly limit: number;
}

type Change = 'added' | 'removed' | 'changed';

export interface PackageDifference {
  readonly change: Change;
  readonly type: string;
  readonly name: string;
  /** Versions that only the one, or the other, image has. */
  readonly from: readonly string[];
  readonly to: readonly string[];
}

export interface FindingDifference extends PackageDifference {
  readonly advisory: string;
  readonly severity: string;
}

type FileSide = Pick<ListedFile, 'kind' | 'sizeBytes' | 'mode' | 'sha256' | 'layer'>;

export interface FileDifference {
  readonly change: Change;
  readonly path: string;
  readonly from: FileSide | null;
  readonly to: FileSide | null;
}

/** By name; one that has another version now is changed. @throws invalid, tooLarge */
export async function diffPackages(
  database: Database,
  ask: DiffAsk,
): Promise<InventoryPage<PackageDifference>> {
  const [from, to] = await Promise.all(
    [ask.from, ask.to].map(async (id) => {
      const { packages = [] } = (await imageContents(database, id)) ?? {};
      return packages.map(({ purl, name, version }) => ({
        type: typeOf(purl),
        name,
        version,
        flaw: '',
        about: {},
      }));
    }),
  );
  return pageOf(differences(from ?? [], to ?? []), ask);
}

/** In which repository each of the two is, whose exceptions count. */
export interface FindingDiffAsk extends DiffAsk {
  readonly fromRepository: number | null;
  readonly toRepository: number | null;
}

/** By package and flaw; one that applies to another version now is changed. @throws invalid */
export async function diffFindings(
  database: Database,
  ask: FindingDiffAsk,
): Promise<InventoryPage<FindingDifference>> {
  const images = [
    { manifestId: ask.from, repositoryId: ask.fromRepository },
    { manifestId: ask.to, repositoryId: ask.toRepository },
  ];
  const [from, to] = await Promise.all(
    images.map(async (image) => (await findingsIn(database, image)).counted.map(versionOfFinding)),
  );
  return pageOf(differences(from ?? [], to ?? []), ask);
}

function versionOfFinding({ purl, name, version, flaw, advisory, severity }: ImageFinding) {
  return { type: typeOf(purl), name, version, flaw, about: { advisory, severity } };
}

function typeOf(purl: string): string {
  return purl.slice('pkg:'.length, purl.indexOf('/'));
}

interface Version<A> {
  readonly type: string;
  readonly name: string;
  readonly version: string;
  /** By which findings are told apart, too; of a package ''. */
  readonly flaw: string;
  /** What else is said of it. */
  readonly about: A;
}

function differences<A extends object>(
  from: readonly Version<A>[],
  to: readonly Version<A>[],
): (PackageDifference & A & { readonly key: string })[] {
  const sides = [from, to].map((side) => Map.groupBy(side, keyOf));
  const [before, after] = [sides[0] ?? new Map(), sides[1] ?? new Map()] as const;
  return [...new Set([...before.keys(), ...after.keys()])].sort().flatMap((key) => {
    const [was, is]: [readonly Version<A>[], readonly Version<A>[]] = [
      before.get(key) ?? [],
      after.get(key) ?? [],
    ];
    const [old, fresh] = [versions(was), versions(is)];
    const [gone, come] = [[...old.difference(fresh)].sort(), [...fresh.difference(old)].sort()];
    const one = is[0] ?? was[0];
    if (!one || (gone.length === 0 && come.length === 0)) return [];
    const change: Change = was.length === 0 ? 'added' : is.length === 0 ? 'removed' : 'changed';
    return [{ ...one.about, change, type: one.type, name: one.name, from: gone, to: come, key }];
  });
}

function keyOf({ name, type, flaw }: Version<object>): string {
  return [name, type, flaw].join('\n');
}

function versions(side: readonly Version<object>[]): Set<string> {
  return new Set(side.map(({ version }) => version));
}

function pageOf<T extends { readonly key: string }>(
  all: readonly T[],
  ask: DiffAsk,
): InventoryPage<Omit<T, 'key'>> {
  const after = ask.after === undefined ? undefined : parseCursor(ask.after, 0).text;
  const rest = after === undefined ? all : all.filter(({ key }) => key > after);
  const page = rest.slice(0, ask.limit);
  const last = rest.length > ask.limit ? page.at(-1) : undefined;
  return {
    items: page.map(({ key: _, ...item }) => item),
    next: last ? cursorText({ text: last.key, ids: [] }) : null,
  };
}

const filesAtOnce = 1_000;

/** By path; other contents, kind or mode is changed. A page may be short before the end. @throws invalid */
export async function diffFiles(database: Database, ask: DiffAsk): Promise<InventoryPage<FileDifference>> {
  const items: FileDifference[] = [];
  const start = ask.after === undefined ? undefined : parseCursor(ask.after, 0).text;
  const from = filesFrom(database, { manifestId: ask.from, path: ask.path, after: start });
  const to = filesFrom(database, { manifestId: ask.to, path: ask.path, after: start });
  let [was, is] = [await from.next(), await to.next()];
  for (let looked = 0; !was.done || !is.done; looked += 1) {
    const order = was.done ? 1 : is.done ? -1 : byBytes(was.value.path, is.value.path);
    const before = order <= 0 && !was.done ? was.value : undefined;
    const after = order >= 0 && !is.done ? is.value : undefined;
    const difference = fileDifference(before, after);
    if (difference) items.push(difference);
    if (order <= 0) was = await from.next();
    if (order >= 0) is = await to.next();
    const path = before?.path ?? after?.path ?? '';
    const full = items.length >= ask.limit || looked >= limits.inventoryRowsLookedMax;
    if (full && !(was.done && is.done)) return { items, next: cursorText({ text: path, ids: [] }) };
  }
  return { items, next: null };
}

/** In the order of their paths, after one. */
async function* filesFrom(
  database: Database,
  ask: { readonly manifestId: number; readonly path: string | undefined; readonly after: string | undefined },
): AsyncGenerator<ListedFile> {
  // Behind whatever layer has that path.
  const behind = (text: string) => cursorText({ text, ids: [Number.MAX_SAFE_INTEGER] });
  let after: string | null | undefined = ask.after === undefined ? undefined : behind(ask.after);
  while (after !== null) {
    const page: InventoryPage<ListedFile> = await fileList(database, {
      manifestId: ask.manifestId,
      place: 'image',
      path: ask.path,
      after,
      limit: filesAtOnce,
    });
    yield* page.items;
    after = page.next;
  }
}

/** As the lists are in order: of UTF-8, which is not that of JavaScript's strings. */
function byBytes(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function fileDifference(was: ListedFile | undefined, is: ListedFile | undefined): FileDifference | undefined {
  const path = is?.path ?? was?.path ?? '';
  const [from, to] = [sideOf(was), sideOf(is)];
  if (from && to) return same(from, to) ? undefined : { change: 'changed', path, from, to };
  return { change: to ? 'added' : 'removed', path, from, to };
}

function sideOf(file: ListedFile | undefined): FileSide | null {
  if (!file) return null;
  const { kind, sizeBytes, mode, sha256, layer } = file;
  return { kind, sizeBytes, mode, sha256, layer };
}

/** What has no hash on either side (a link, a sparse file) is the same only if it is of the same layer. */
function same(a: FileSide, b: FileSide): boolean {
  if (a.layer === b.layer) return true;
  const comparable = a.kind === 'directory' || (a.sha256 !== null && b.sha256 !== null);
  return comparable && a.kind === b.kind && a.mode === b.mode && a.sha256 === b.sha256;
}
