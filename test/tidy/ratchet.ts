/**
 * Files and functions have a length limit. What is over it is in a checked-in list with its length, which may only
 * shrink: longer than listed, shorter than listed and no longer over the limit are all findings.
 */
import ts from 'typescript';
import { isSuite, isTest, type ProjectFile } from './project-files.ts';

export const fileLinesMax = 350;
export const functionLinesMax = 70;

/** `path` or `path#function` to its length in lines. */
export type Exceptions = Readonly<Record<string, number>>;

interface Measured {
  readonly name: string;
  readonly lines: number;
}

export function longFiles(files: readonly ProjectFile[], exceptions: Exceptions): string[] {
  const measured = files
    .filter(isCode)
    .map(({ path, text }) => ({ name: path, lines: text.trimEnd().split('\n').length }));
  return compare(measured, fileLinesMax, exceptions);
}

export function longFunctions(files: readonly ProjectFile[], exceptions: Exceptions): string[] {
  return compare(files.filter(isCode).flatMap(functionsOf), functionLinesMax, exceptions);
}

function compare(measured: readonly Measured[], linesMax: number, exceptions: Exceptions): string[] {
  const over = new Map(
    measured.filter(({ lines }) => lines > linesMax).map(({ name, lines }) => [name, lines]),
  );
  const findings = [...over]
    .filter(([name, lines]) => exceptions[name] !== lines)
    .map(([name, lines]) => {
      const allowed = exceptions[name];
      if (allowed === undefined) return `${name}: ${lines} lines, over ${linesMax}`;
      if (lines > allowed) return `${name}: ${lines} lines, has grown from ${allowed}`;
      return `${name}: ${lines} lines now; lower its entry of ${allowed} in exceptions.ts`;
    });
  const stale = Object.keys(exceptions).filter((name) => !over.has(name));
  return [
    ...findings,
    ...stale.map((name) => `${name}: not over ${linesMax} lines; take it out of exceptions.ts`),
  ];
}

function isCode({ path }: ProjectFile): boolean {
  return path.endsWith('.ts');
}

function functionsOf({ path, text }: ProjectFile): readonly Measured[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Measured[] = [];
  const visit = (node: ts.Node) => {
    if (
      ts.isFunctionLike(node) &&
      'body' in node &&
      node.body &&
      !(isTestCode(path) && isChapter(node.body))
    ) {
      const first = source.getLineAndCharacterOfPosition(node.getStart(source)).line;
      const last = source.getLineAndCharacterOfPosition(node.getEnd()).line;
      found.push({ name: `${path}#${nameOf(node, source, first)}`, lines: last - first + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** A function that declares tests (the body of a `describe`, a contract suite) is a chapter, not a function. */
function isChapter(body: ts.Node): boolean {
  let declaresTests = false;
  const visit = (node: ts.Node) => {
    if (ts.isCallExpression(node) && /^(test|it|describe)\b/.test(node.expression.getText()))
      declaresTests = true;
    else ts.forEachChild(node, visit);
  };
  visit(body);
  return declaresTests;
}

function isTestCode(path: string): boolean {
  return isTest(path) || isSuite(path) || path.startsWith('test/');
}

function nameOf(node: ts.SignatureDeclaration, source: ts.SourceFile, line: number): string {
  const { parent } = node;
  const own = node.name?.getText(source) ?? (ts.isConstructorDeclaration(node) ? 'constructor' : undefined);
  if (own !== undefined) return ts.isClassLike(parent) && parent.name ? `${parent.name.text}.${own}` : own;
  if (ts.isVariableDeclaration(parent) || ts.isPropertyAssignment(parent)) return parent.name.getText(source);
  return `line ${line + 1}`;
}
