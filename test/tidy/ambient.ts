/**
 * What a program finds around it (environment variables, the clock, chance) enters the product at one place each:
 * src/server/config/env.ts, src/lib/clock.ts, src/lib/random.ts.
 */
import ts from 'typescript';
import type { ProjectFile } from './project-files.ts';

type Kind = 'environment' | 'time' | 'chance';

const homes: Readonly<Record<Kind, string>> = {
  environment: 'src/server/config/env.ts',
  time: 'src/lib/clock.ts',
  chance: 'src/lib/random.ts',
};

const members: Readonly<Record<string, Kind>> = {
  'process.env': 'environment',
  'Date.now': 'time',
  'performance.now': 'time',
  'process.hrtime': 'time',
  'process.uptime': 'time',
  'Math.random': 'chance',
  'crypto.randomUUID': 'chance',
  'crypto.randomBytes': 'chance',
  'crypto.getRandomValues': 'chance',
};

/** Names imported from a module of Node, with `node:` or without. */
const imports: Readonly<Record<string, Kind>> = {
  'process env': 'environment',
  'process hrtime': 'time',
  'perf_hooks performance': 'time',
  'os uptime': 'time',
  'crypto randomBytes': 'chance',
  'crypto randomFill': 'chance',
  'crypto randomFillSync': 'chance',
  'crypto randomInt': 'chance',
  'crypto randomUUID': 'chance',
  'crypto getRandomValues': 'chance',
};

/** `environmentReaders`: further files that may read environment variables, with the reason. */
export function ambientUses(
  files: readonly ProjectFile[],
  environmentReaders: Readonly<Record<string, string>>,
): string[] {
  return files.flatMap((file) => {
    const uses = usesIn(file).filter(({ kind }) => {
      if (homes[kind] === file.path) return false;
      return !(kind === 'environment' && Object.hasOwn(environmentReaders, file.path));
    });
    return uses.map(
      ({ kind, what, line }) => `${file.path}:${line}: ${what}: ${kind} comes from ${homes[kind]} only`,
    );
  });
}

interface Use {
  readonly kind: Kind;
  readonly what: string;
  readonly line: number;
}

function usesIn({ path, text }: ProjectFile): readonly Use[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Use[] = [];
  const visit = (node: ts.Node) => {
    const use = useAt(node);
    if (use !== undefined)
      found.push({ ...use, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1 });
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function useAt(node: ts.Node): Omit<Use, 'line'> | undefined {
  if (ts.isPropertyAccessExpression(node)) return known(members, memberName(node.expression, node.name.text));
  if (ts.isElementAccessExpression(node) && ts.isStringLiteral(node.argumentExpression))
    return known(members, memberName(node.expression, node.argumentExpression.text));
  if (ts.isBindingElement(node)) return known(members, boundName(node));
  if (ts.isImportSpecifier(node)) return known(imports, importedName(node));
  const makesDate = (ts.isNewExpression(node) && !node.arguments?.length) || ts.isCallExpression(node);
  return makesDate && node.expression.getText() === 'Date'
    ? { kind: 'time', what: 'the present Date' }
    : undefined;
}

function memberName(object: ts.Expression, member: string): string {
  return `${object.getText().replace(/^globalThis\./, '')}.${member}`;
}

/** `const { env } = process` */
function boundName(node: ts.BindingElement): string {
  const declaration = node.parent.parent;
  const from = ts.isVariableDeclaration(declaration) ? declaration.initializer?.getText() : undefined;
  return `${from}.${(node.propertyName ?? node.name).getText()}`;
}

function importedName(node: ts.ImportSpecifier): string {
  const { moduleSpecifier } = node.parent.parent.parent;
  const module = ts.isStringLiteral(moduleSpecifier) ? moduleSpecifier.text.replace(/^node:/, '') : '';
  return `${module} ${(node.propertyName ?? node.name).text}`;
}

function known(table: Readonly<Record<string, Kind>>, name: string): Omit<Use, 'line'> | undefined {
  const kind = Object.hasOwn(table, name) ? table[name] : undefined;
  return kind === undefined ? undefined : { kind, what: name };
}
