import type { ImportReport } from '../../src/cli/import/import-report.ts';
import type { Client } from '../../src/client/client.ts';
import { lazaret } from './command-line.ts';

export type Imported = ImportReport & { readonly code: number };

/** What `lazaret import …` reports. @throws what the command throws */
export async function imported(client: Client, ...argv: string[]): Promise<Imported> {
  const { text, code } = await lazaret(client, 'import', ...argv, '--quiet', '-o', 'json');
  return { ...JSON.parse(text), code };
}
