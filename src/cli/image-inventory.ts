import type { Command } from 'commander';
import { inventoryOptions } from './inventory-tables.ts';
import type { CliIo } from './io.ts';
import { outputCommand } from './output.ts';
import type { InventoryCommandOptions } from './read-image.ts';

export function inventoryCommand(io: CliIo): Command {
  const command = outputCommand(
    'inventory',
    'Read an image of any registry, layout or archive, and show what is in it; nothing is stored',
    'lazaret image inventory docker://registry.example/shop:1 --packages\n  $ lazaret image inventory shop.tar -o json',
  )
    .argument(
      '<source>',
      'docker://HOST/REPOSITORY[:TAG|@DIGEST], an OCI layout (folder or tar) or a docker archive, with :TAG where it has several',
    )
    .option('--src-creds <user:password>', 'for the registry (default: docker’s own credentials)')
    .option('--src-tls-ca <file>', 'trust these certificate authorities for the registry')
    .option('--src-plain-http', 'the registry has no TLS');
  inventoryOptions(command);
  return command.action(async (source: string, options: InventoryCommandOptions) => {
    // The readers of all formats are loaded for this command only.
    const { showInventory } = await import('./read-image.ts');
    await showInventory(io, source, options);
  });
}
