import type { Command } from 'commander';
import type { CliIo } from './io.ts';

export interface CommandModule {
  readonly register: (program: Command, io: CliIo) => void;
}

/** The commands that talk to a server, one module each; a module is loaded only when its command, or help, is asked. */
export const commands: readonly { readonly name: string; readonly load: () => Promise<CommandModule> }[] = [
  { name: 'login', load: () => import('./login.ts') },
];
