import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { Command, Option } from 'commander';
import { callBytes } from '../client/client.ts';
import { imageSbom } from '../contract/inventory-lists.ts';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { collect } from '../lib/streams.ts';
import { type SbomFormat, sbomFormats } from '../oci/sbom-formats.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';

interface SbomOptions extends ServerOptions {
  readonly format: SbomFormat;
  readonly platform?: string;
  readonly output?: string;
}

export function sbomCommand(io: CliIo): Command {
  return new Command('sbom')
    .description('Write the bill of materials of an image')
    .argument('<reference>', 'acme/shop:1 or acme/shop@sha256:…')
    .addOption(
      new Option('--format <format>', 'CycloneDX 1.6 or SPDX 2.3, both as JSON')
        .choices(sbomFormats)
        .default('cyclonedx'),
    )
    .option('--platform <platform>', 'of an index: linux/amd64')
    .option('-o, --output <file>', 'where to (default: standard output)')
    .option('--server <url>', 'the server (default: $LAZARET_SERVER or http://localhost:5000)')
    .option('--ca <file>', "whose certificates are trusted, PEM (default: $LAZARET_CA or the system's)")
    .addHelpText('after', '\nExample:\n  $ lazaret image sbom acme/shop:1 --format spdx -o shop.spdx.json')
    .action((reference: string, options: SbomOptions) => writeSbom(io, reference, options));
}

async function writeSbom(io: CliIo, reference: string, options: SbomOptions): Promise<void> {
  const { format, platform, output } = options;
  const query = { reference, format, ...(platform === undefined ? {} : { platform }) };
  const client = await clientOf(io, options);
  const { stream } = await callBytes(client, imageSbom, { query }, { signal: io.signal });
  if (output === undefined) return io.out((await collect(stream, limits.clientAnswerBytesMax)).toString());
  try {
    const file = await open(output, 'w');
    await pipeline(stream, file.createWriteStream(), { signal: io.signal });
  } catch (cause) {
    if (cause instanceof LazaretError || io.signal.aborted) throw cause;
    throw new LazaretError('invalid', `${output} can't be written`, { detail: { path: 'output' }, cause });
  }
}
