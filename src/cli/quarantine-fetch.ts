import { createHash } from 'node:crypto';
import { open, rm } from 'node:fs/promises';
import { Command } from 'commander';
import { callBytes } from '../client/client.ts';
import { forensicBlob } from '../contract/forensics.ts';
import { LazaretError } from '../lib/errors.ts';
import { hashing } from '../lib/streams.ts';
import { digestAlgorithm, digestEnd, parseDigest } from '../oci/digest.ts';
import { type CliIo, clientOf } from './io.ts';
import { sizeText } from './words.ts';

interface FetchOptions {
  readonly server?: string;
  readonly repository: string;
  readonly output: string;
}

/** `--output` is a file here: what is fetched is bytes. */
export function fetchCommand(io: CliIo): Command {
  return new Command('fetch')
    .description('Fetch the bytes of a quarantined blob, to look into them; that you did is in the log')
    .option('--server <url>', 'the server (default: $LAZARET_SERVER or http://localhost:5000)')
    .argument('<digest>', 'sha256:…')
    .requiredOption('--repository <name>', 'where it is: acme/shop')
    .requiredOption('-o, --output <file>', 'a new file, for your eyes only')
    .addHelpText(
      'after',
      '\nExample:\n  $ lazaret quarantine fetch sha256:… --repository acme/shop --output layer.tar.gz',
    )
    .action((digest: string, options: FetchOptions) => fetchTo(io, digest, options));
}

async function fetchTo(io: CliIo, digestText: string, options: FetchOptions): Promise<void> {
  const digest = parseDigest(digestText);
  const { repository, output } = options;
  const client = await clientOf(io, options);
  const input = { params: { digest }, query: { repository } };
  const answer = await callBytes(client, forensicBlob, input, { signal: io.signal });
  const hash = createHash(digestAlgorithm(digest));
  const file = await open(output, 'wx', 0o600);
  let sizeBytes = 0;
  try {
    for await (const chunk of hashing(answer.stream, hash)) {
      await file.appendFile(chunk);
      sizeBytes += chunk.byteLength;
    }
    const found = digestEnd(hash, digestAlgorithm(digest));
    if (found !== digest)
      throw new LazaretError('digestInvalid', `what arrived has the digest ${found}`, { detail: { digest } });
  } catch (error) {
    await rm(output, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  io.out(`${output}  ${sizeText(sizeBytes)}  ${digest}`);
}
