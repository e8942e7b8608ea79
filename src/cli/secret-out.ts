import { writeFile } from 'node:fs/promises';
import type { CliIo } from './io.ts';
import { type OutputOptions, print } from './output.ts';

export interface SecretOptions extends OutputOptions {
  readonly secretFile?: string;
}

/** Shows a secret that was made, once, or writes it into a file that nobody else reads. */
export async function printSecret(
  io: CliIo,
  options: SecretOptions,
  made: { readonly name: string; readonly secret: string; readonly expiresAt: number | null },
  first: string,
): Promise<void> {
  const { name, secret, expiresAt } = made;
  const file = options.secretFile;
  if (file !== undefined) await writeFile(file, `${secret}\n`, { mode: 0o600, flag: 'wx' });
  const shown = file === undefined ? { name, secret, expiresAt } : { name, secretFile: file, expiresAt };
  await print(io, options.output, shown, () =>
    [first, file === undefined ? `password, shown this once: ${secret}` : `password in ${file}`].join('\n'),
  );
}

export const secretFileOption = [
  '--secret-file <file>',
  'write the password there, readable by you only, instead of showing it once',
] as const;
