import { type Command, Option } from 'commander';

/** How a role and what it is over are given and said: `--role writer --account acme --repository 'acme/web/**'`. */
const roles = ['reader', 'writer', 'maintainer', 'security', 'admin'] as const;
type Role = (typeof roles)[number];

export interface Binding {
  readonly role: Role;
  readonly account: string | null;
  readonly repositoryGlob: string | null;
}

export interface BindingOptions {
  readonly role: Role;
  readonly account?: string;
  readonly repository?: string[];
}

export function withRole(command: Command): Command {
  return command
    .addOption(new Option('--role <role>', 'what may be done').choices(roles).default('reader'))
    .option(
      '--repository <glob>',
      'only these of them; may be given several times',
      (glob: string, before: string[] = []) => [...before, glob],
    );
}

export function withBinding(command: Command): Command {
  return withRole(command).option(
    '--account <account>',
    'whose repositories (default: every account, for operators)',
  );
}

/** One for each glob. */
export function bindingsOf({ role, account, repository }: BindingOptions): Binding[] {
  const globs: (string | null)[] = repository && repository.length > 0 ? repository : [null];
  return globs.map((repositoryGlob) => ({ role, account: account ?? null, repositoryGlob }));
}

/** `writer of acme/*`, `admin of everything`. */
export function bindingText({ role, account, repositoryGlob }: Binding): string {
  return `${role} of ${repositoryGlob ?? (account === null ? 'everything' : `everything of ${account}`)}`;
}

export function bindingsText(bindings: readonly Binding[]): string {
  return bindings.map(bindingText).join(', ');
}
