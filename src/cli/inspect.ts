import { Command } from 'commander';
import { call } from '../client/client.ts';
import { inspectionStatusShow } from '../contract/inspections.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { type CliIo, clientOf, type ServerOptions } from './io.ts';
import { type OutputOptions, print, serverCommand } from './output.ts';
import { countText, timeText } from './words.ts';

type Options = ServerOptions & OutputOptions;
type Status = RouteAnswer<typeof inspectionStatusShow>;

export function register(program: Command, io: CliIo): void {
  const inspect = new Command('inspect').description('What is in the layers: the reading of them');
  inspect.addCommand(
    serverCommand(
      'status',
      'Show how many layers are to be read, again or at all; exits 3 while some are',
      'lazaret inspect status',
    ).action((options: Options) => status(io, options)),
  );
  program.addCommand(inspect);
}

async function status(io: CliIo, options: Options): Promise<void> {
  const found = await call(await clientOf(io, options), inspectionStatusShow, {}, { signal: io.signal });
  await print(io, options.output, found, () => statusText(found));
  if (found.stale + found.pending > 0) io.exit(3);
}

export function statusText({ version, since, done, stale, pending, failed, ...speed }: Status): string {
  const total = done + stale + pending;
  const parts = [
    `${done.toLocaleString('en')} of ${countText(total, 'layer')} read with inventory version ${version}, of ${timeText(since)}`,
    ...(stale > 0 ? [`${stale.toLocaleString('en')} stale: older answers stand`] : []),
    ...(pending > 0 ? [`${pending.toLocaleString('en')} pending`] : []),
    ...(failed > 0 ? [`${failed.toLocaleString('en')} could not be read again`] : []),
    ...(stale + pending > 0
      ? [`${speed.layersPerHour.toLocaleString('en')} an hour, ${leftText(speed.leftMs)}`]
      : []),
  ];
  return parts.join('\n');
}

function leftText(leftMs: number | null): string {
  if (leftMs === null) return 'none was read lately';
  const minutes = Math.ceil(leftMs / 60_000);
  return minutes < 120
    ? `${countText(minutes, 'minute')} left`
    : `${countText(Math.ceil(minutes / 60), 'hour')} left`;
}
