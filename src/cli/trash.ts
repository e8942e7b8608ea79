import { Command } from 'commander';
import { call } from '../client/client.ts';
import { trashListRoute, trashRestoreRoute } from '../contract/trash.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { countText, digestText, timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;

export function register(program: Command, io: CliIo): void {
  const trash = new Command('trash').description('Deleted tags and images that can be brought back');
  trash.addCommand(
    serverCommand('ls', 'List what was deleted, newest first', 'lazaret trash ls acme/shop')
      .argument('[repository]', 'only of this one')
      .action((repository: string | undefined, options: Options) => list(io, repository, options)),
  );
  trash.addCommand(
    serverCommand(
      'restore',
      'Bring a tag or an image back, with what refers to it',
      'lazaret trash restore acme/shop:1',
    )
      .argument('<reference>', 'REPOSITORY:TAG, or REPOSITORY@DIGEST with all its tags')
      .action((reference: string, options: Options) => restore(io, reference, options)),
  );
  program.addCommand(trash);
}

async function list(io: CliIo, repository: string | undefined, options: Options): Promise<void> {
  const query = repository === undefined ? {} : { repository };
  const { items } = await call(await clientOf(io, options), trashListRoute, { query }, { signal: io.signal });
  await print(io, options.output, items, () => ({
    columns: ['reference', 'digest', 'deleted', 'by', 'because', 'until at least'],
    rows: items.map((item) => [
      item.tag === null ? `${item.repository}@${digestText(item.digest)}` : `${item.repository}:${item.tag}`,
      digestText(item.digest),
      timeText(item.deletedAt),
      item.deletedBy,
      item.with === null ? item.cause : `${digestText(item.with)} went`,
      timeText(item.until),
    ]),
  }));
}

async function restore(io: CliIo, reference: string, options: Options): Promise<void> {
  const client = await clientOf(io, options);
  const done = await call(client, trashRestoreRoute, { body: { reference } }, { signal: io.signal });
  await print(io, options.output, done, () => {
    const tags = done.tags.map((tag) => `:${tag}`).join(' ');
    const back = `${done.repository}@${digestText(done.digest)}  back: ${countText(done.manifests.length, 'manifest')}`;
    const lost = done.tagsTaken.map((tag) => `\n  :${tag} names another image by now`).join('');
    return `${back}${tags === '' ? '' : `, ${tags}`}${lost}`;
  });
}
