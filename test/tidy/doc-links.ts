import { posix } from 'node:path';
import type { ProjectFile } from './project-files.ts';

interface Link {
  readonly target: string;
  readonly line: number;
}

/** Every relative link of a Markdown file that leads to no file or folder, or to no heading of it. */
export function brokenLinks(files: readonly ProjectFile[]): string[] {
  const places = new Set(files.flatMap(({ path }) => [path, ...foldersOf(path)]));
  const anchors = new Map(files.filter(isMarkdown).map((file) => [file.path, anchorsOf(file)]));
  return files.filter(isMarkdown).flatMap((file) =>
    linksOf(file).flatMap(({ target, line }) => {
      const [to = '', anchor] = decodeURI(target).split('#');
      const path = to === '' ? file.path : posix.join(posix.dirname(file.path), to).replace(/\/$/, '');
      if (!places.has(path)) return [`${file.path}:${line}: ${target}: there is no ${path}`];
      const known = anchors.get(path);
      if (anchor === undefined || known === undefined || known.has(anchor)) return [];
      return [`${file.path}:${line}: ${target}: ${path} has no heading #${anchor}`];
    }),
  );
}

function isMarkdown({ path }: ProjectFile): boolean {
  return path.endsWith('.md');
}

function foldersOf(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === '.' ? ['.'] : [folder, ...foldersOf(folder)];
}

/** `[text](target)`, `![text](target "title")` and `[name]: target`, but not what is shown as code. */
function linksOf({ text }: ProjectFile): Link[] {
  return proseLines(text).flatMap((line, index) => {
    const inline = [...line.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)];
    const defined = [...line.matchAll(/^\s*\[[^\]]+\]:\s*<?(\S+?)>?(\s|$)/g)];
    const targets = [...inline, ...defined].map((match) => match[1] ?? '');
    return targets.filter((target) => !isAbsolute(target)).map((target) => ({ target, line: index + 1 }));
  });
}

function isAbsolute(target: string): boolean {
  return /^([a-z][a-z0-9+.-]*:|\/\/)/i.test(target);
}

/** As GitHub makes them: lower case, spaces to hyphens, punctuation dropped, repeated ones numbered. */
function anchorsOf({ text }: ProjectFile): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const line of proseLines(text, 'code kept')) {
    for (const match of line.matchAll(/<a\s+(?:id|name)="([^"]+)"/g)) anchors.add(match[1] ?? '');
    const heading = /^#{1,6}\s+(.*?)\s*#*\s*$/.exec(line)?.[1];
    if (heading === undefined) continue;
    const base = slug(heading);
    let anchor = base;
    for (let copy = 1; anchors.has(anchor); copy += 1) anchor = `${base}-${copy}`;
    anchors.add(anchor);
  }
  return anchors;
}

function slug(heading: string): string {
  const text = heading.replace(/!?\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
  return text.replace(/[^\p{L}\p{N}\p{M}_\- ]/gu, '').replaceAll(' ', '-');
}

/** The lines with fenced blocks emptied, and with `code` taken out unless it is kept. */
function proseLines(text: string, inlineCode: 'code dropped' | 'code kept' = 'code dropped'): string[] {
  let fence: string | undefined;
  return text.split('\n').map((line) => {
    const mark = /^\s*(```+|~~~+)/.exec(line)?.[1];
    if (mark !== undefined && (fence === undefined || mark.startsWith(fence))) {
      fence = fence === undefined ? mark : undefined;
      return '';
    }
    if (fence !== undefined) return '';
    return inlineCode === 'code kept' ? line : line.replace(/`[^`]*`/g, '');
  });
}
