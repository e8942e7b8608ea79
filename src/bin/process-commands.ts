import type { CommandModule } from '../cli/commands.ts';

/** The commands that are a process of their own rather than a call to a server. */
export const processCommands: readonly {
  readonly name: string;
  readonly load: () => Promise<CommandModule>;
}[] = [
  { name: 'serve', load: () => import('./serve.ts') },
  { name: 'agent', load: () => import('./agent.ts') },
  { name: 'admin', load: () => import('./admin.ts') },
  { name: 'backup', load: () => import('./backup.ts') },
  { name: 'restore', load: () => import('./restore.ts') },
];
