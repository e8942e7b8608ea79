import type { Command } from 'commander';
import type { CliIo } from './io.ts';

export interface CommandModule {
  readonly register: (program: Command, io: CliIo) => void;
}

/** The commands that talk to a server, one module each; a module is loaded only when its command, or help, is asked. */
export const commands: readonly { readonly name: string; readonly load: () => Promise<CommandModule> }[] = [
  { name: 'login', load: () => import('./login.ts') },
  { name: 'image', load: () => import('./image.ts') },
  { name: 'diff', load: () => import('./diff.ts') },
  { name: 'import', load: () => import('./import.ts') },
  { name: 'advisory', load: () => import('./advisory.ts') },
  { name: 'exception', load: () => import('./exception.ts') },
  { name: 'vex', load: () => import('./vex.ts') },
  { name: 'explain', load: () => import('./explain.ts') },
  { name: 'scan', load: () => import('./scan.ts') },
  { name: 'quarantine', load: () => import('./quarantine.ts') },
  { name: 'retention', load: () => import('./retention.ts') },
  { name: 'immutability', load: () => import('./immutability.ts') },
  { name: 'sbom', load: () => import('./sbom.ts') },
  { name: 'trash', load: () => import('./trash.ts') },
  { name: 'inspect', load: () => import('./inspect.ts') },
  { name: 'gc', load: () => import('./gc.ts') },
  { name: 'scrub', load: () => import('./scrub.ts') },
  { name: 'events', load: () => import('./events.ts') },
  { name: 'debug', load: () => import('./debug.ts') },
  { name: 'receipt', load: () => import('./receipt.ts') },
  { name: 'deploy', load: () => import('./deploy.ts') },
  { name: 'ps', load: () => import('./ps.ts') },
  { name: 'instance', load: () => import('./instance.ts') },
  { name: 'grant', load: () => import('./grant.ts') },
  { name: 'region', load: () => import('./region.ts') },
  { name: 'account', load: () => import('./account.ts') },
  { name: 'user', load: () => import('./user.ts') },
  { name: 'robot', load: () => import('./robot.ts') },
  { name: 'role', load: () => import('./role.ts') },
  { name: 'signing-key', load: () => import('./signing-key.ts') },
];
