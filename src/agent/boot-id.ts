import { readFile } from 'node:fs/promises';
import { randomKey } from '../lib/random.ts';

/** Names this boot of the machine. Where the kernel has no name for it, each agent process counts as a boot of its own. */
export async function readBootId(): Promise<string> {
  const id = await readFile('/proc/sys/kernel/random/boot_id', 'utf8').catch(() => '');
  return id.trim() || randomKey();
}
