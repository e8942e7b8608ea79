import { Command } from 'commander';
import { call } from '../client/client.ts';
import { signingKeyListRoute, signingKeyRotate } from '../contract/signing-keys.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { countText, timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const key = new Command('signing-key').description('The keys that this region signs its tokens with');
  key.addCommand(
    serverCommand('ls', 'List the keys, newest first', 'lazaret signing-key ls').action(
      async (options: Options) => {
        const { keys } = await call(
          await clientOf(io, options),
          signingKeyListRoute,
          {},
          { signal: io.signal },
        );
        await print(io, options.output, keys, () => ({
          columns: ['key', 'made', 'retired'],
          rows: keys.map((one) => [one.kid, timeText(one.createdAt), timeText(one.retiredAt)]),
        }));
      },
    ),
  );
  key.addCommand(
    serverCommand('rotate', 'Sign with a fresh key from now on', 'lazaret signing-key rotate')
      .option('--revoke', 'every token signed before stops working at once')
      .action(async (options: Options & { revoke?: boolean }) => {
        const body = { revoke: options.revoke === true };
        const client = await clientOf(io, options);
        const done = await call(client, signingKeyRotate, { body }, { signal: io.signal });
        const older = body.revoke
          ? `${countText(done.retired, 'older key')} retired: clients log in again by themselves, docker login sessions do not`
          : 'what older keys signed stays good until its end';
        await print(io, options.output, done, () => `key ${done.kid} signs now; ${older}`);
      }),
  );
  program.addCommand(key);
}
