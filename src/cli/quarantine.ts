import type { Command } from 'commander';
import { call } from '../client/client.ts';
import {
  planApply,
  planShow,
  quarantineDestroy,
  quarantineListRoute,
  quarantineReleaseRoute,
  quarantineShow,
} from '../contract/quarantines.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { parseDuration } from '../lib/duration.ts';
import { LazaretError } from '../lib/errors.ts';
import { type CliIo, clientOf } from './io.ts';
import { type OutputFormat, print, serverCommand } from './output.ts';
import { fetchCommand } from './quarantine-fetch.ts';
import { holdCommand, retentionCommand, unholdCommand } from './quarantine-keep.ts';
import { becauseLines } from './quarantine-marks.ts';
import { imagesText, type PlanBody, planMade, planText, reachAsked, sparedText } from './quarantine-plan.ts';
import { acknowledgedText, waitForRegions } from './quarantine-wait.ts';
import { countText, timeText } from './words.ts';

type State = RouteAnswer<typeof quarantineShow>;
type Quarantine = State['quarantine'];

interface CommonOptions {
  readonly server?: string;
  readonly output: OutputFormat;
}

export function register(program: Command, io: CliIo): void {
  const group = program.command('quarantine').description('Refuse layers at every door, and undo it');
  group.addCommand(planCommand(io));
  group.addCommand(applyCommand(io));
  group.addCommand(listCommand(io));
  group.addCommand(showCommand(io));
  group.addCommand(releaseCommand(io));
  group.addCommand(holdCommand(io));
  group.addCommand(unholdCommand(io));
  group.addCommand(retentionCommand(io));
  group.addCommand(destroyCommand(io));
  group.addCommand(fetchCommand(io));
}

function planCommand(io: CliIo): Command {
  interface Options extends CommonOptions {
    readonly scan?: string;
    readonly layer?: readonly string[];
    readonly manifest?: readonly string[];
    readonly repository?: readonly string[];
    readonly reach?: string;
    readonly unknown?: string;
    readonly retention?: string;
  }
  return serverCommand(
    'plan',
    'Preview a quarantine of what a scan found, or of what is named',
    'lazaret quarantine plan --scan S-31 --reach image',
  )
    .option('--scan <name>', 'the answered scan: S-31')
    .option('--layer <digest>', 'a layer, by its sha256; it need not be here yet', collected)
    .option('--manifest <digest>', 'an image or index, by its sha256', collected)
    .option('--repository <glob>', "all of these repositories: 'acme/legacy/**'", collected)
    .option(
      '--reach <reach>',
      'layer: every image on a marked layer is refused; image: not those that hide the match (default for packages)',
    )
    .option(
      '--unknown <policy>',
      'with reach image, an image that nobody can tell of: allow or refuse',
      'allow',
    )
    .option('--retention <time>', 'how long the bytes are kept: 30d')
    .action(async (options: Options) => {
      const { reach, retention, unknown } = options;
      if (unknown !== 'allow' && unknown !== 'refuse')
        throw new LazaretError('invalid', `--unknown '${unknown}': allow or refuse`);
      const body: PlanBody = {
        ...askedFor(options),
        ...reachAsked(reach),
        unknown,
        ...(retention === undefined ? {} : { retention }),
      };
      await planMade(io, await clientOf(io, options), { output: options.output, body });
    });
}

interface Asked {
  readonly scan?: string;
  readonly layer?: readonly string[];
  readonly manifest?: readonly string[];
  readonly repository?: readonly string[];
}

/** A scan, or targets by name. @throws invalid */
function askedFor({ scan, layer, manifest, repository }: Asked): Pick<PlanBody, 'scan' | 'targets'> {
  const named = layer !== undefined || manifest !== undefined || repository !== undefined;
  if ((scan === undefined) === !named)
    throw new LazaretError('invalid', 'say what to quarantine: --scan, or --layer, --manifest, --repository');
  if (scan !== undefined) return { scan };
  return {
    targets: {
      ...(layer === undefined ? {} : { layers: [...layer] }),
      ...(manifest === undefined ? {} : { manifests: [...manifest] }),
      ...(repository === undefined ? {} : { repositories: [...repository] }),
    },
  };
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function applyCommand(io: CliIo): Command {
  interface Options extends CommonOptions {
    readonly reason: string;
    readonly ticket?: string;
    readonly wait?: string | true;
  }
  return serverCommand(
    'apply',
    'Do exactly what a plan showed',
    'lazaret quarantine apply P-7 --reason INC-42 --wait',
  )
    .argument('<plan>', 'P-7')
    .requiredOption('--reason <text>', 'why; it is shown to whoever is refused')
    .option('--ticket <link>', 'where it is discussed')
    .option('--wait [time]', 'wait until every region has acknowledged it (default 60s)')
    .action(async (plan: string, options: Options) => {
      const client = await clientOf(io, options);
      const { reason, ticket } = options;
      const body = { reason, ...(ticket === undefined ? {} : { ticket }) };
      const quarantine = await call(
        client,
        planApply,
        { params: { name: plan }, body },
        { signal: io.signal },
      );
      await waitForRegions(io, client, { quarantine, output: options.output, waitMs: waitMs(options.wait) });
    });
}

function waitMs(wait: string | true | undefined): number {
  if (wait === undefined) return 0;
  return wait === true ? 60_000 : parseDuration(wait, '--wait');
}

function listCommand(io: CliIo): Command {
  interface Options extends CommonOptions {
    readonly all?: boolean;
  }
  return serverCommand('ls', 'The quarantines, newest first', 'lazaret quarantine ls --all')
    .option('--all', 'released ones too')
    .action(async (options: Options) => {
      const query = options.all ? { all: true } : {};
      const answer = await call(
        await clientOf(io, options),
        quarantineListRoute,
        { query },
        { signal: io.signal },
      );
      await print(io, options.output, answer.quarantines, () => ({
        columns: ['name', 'state', 'marks', 'by', 'since', 'reason'],
        rows: answer.quarantines.map((one) => [
          one.name,
          stateOf(one),
          one.marks.length,
          one.author,
          timeText(one.createdAt),
          one.reason,
        ]),
      }));
    });
}

function showCommand(io: CliIo): Command {
  return serverCommand('show', 'A quarantine or a plan: what it reaches now', 'lazaret quarantine show Q-17')
    .argument('<name>', 'Q-17 or P-7')
    .action(async (name: string, options: CommonOptions) => {
      const client = await clientOf(io, options);
      if (name.startsWith('P-')) {
        const plan = await call(client, planShow, { params: { name } }, { signal: io.signal });
        return print(io, options.output, plan, () => planText(plan));
      }
      const state = await call(client, quarantineShow, { params: { name } }, { signal: io.signal });
      return print(io, options.output, state, () => stateText(state));
    });
}

function releaseCommand(io: CliIo): Command {
  interface Options extends CommonOptions {
    readonly reason: string;
    readonly wait?: string | true;
  }
  return serverCommand(
    'release',
    'Lift a quarantine; what was stopped stays stopped',
    "lazaret quarantine release Q-17 --reason 'patched'",
  )
    .argument('<name>', 'Q-17')
    .requiredOption('--reason <text>', 'why')
    .option('--wait [time]', 'wait until every region has acknowledged it (default 60s)')
    .action(async (name: string, options: Options) => {
      const client = await clientOf(io, options);
      const body = { reason: options.reason };
      const quarantine = await call(
        client,
        quarantineReleaseRoute,
        { params: { name }, body },
        { signal: io.signal },
      );
      await waitForRegions(io, client, { quarantine, output: options.output, waitMs: waitMs(options.wait) });
    });
}

function destroyCommand(io: CliIo): Command {
  return serverCommand(
    'destroy',
    'Plan to end the retention now: apply the plan, and the bytes go for good',
    'lazaret quarantine destroy Q-17',
  )
    .argument('<name>', 'Q-17')
    .action(async (name: string, options: CommonOptions) => {
      const plan = await call(
        await clientOf(io, options),
        quarantineDestroy,
        { params: { name } },
        { signal: io.signal },
      );
      await print(io, options.output, plan, () => planText(plan));
    });
}

function stateOf(quarantine: Quarantine): string {
  if (quarantine.releasedAt !== null) return 'released';
  if (quarantine.destroyRequestedAt !== null) return 'destroyed';
  return quarantine.legalHold ? 'active, legal hold' : 'active';
}

function stateText(state: State): string {
  const { quarantine, radius } = state;
  return [
    `${quarantine.name}  ${stateOf(quarantine)} · ${quarantine.reason}${quarantine.ticket ? ` (${quarantine.ticket})` : ''}`,
    `  set        ${timeText(quarantine.createdAt)} by ${quarantine.author} in ${quarantine.origin}, for ${quarantine.scopeAccount ?? 'all accounts'}`,
    ...becauseLines(quarantine),
    `  retention  bytes kept until ${timeText(quarantine.retainUntil)}`,
    ...(quarantine.legalHold ? [`  legal hold until it is lifted: ${quarantine.legalHoldReason}`] : []),
    `  reaches    ${countText(radius.layers.length, 'layer')} · ${imagesText(quarantine.reach, radius.images)} · ${countText(radius.containers.length, 'container')} running`,
    ...radius.images.map(
      (image) =>
        `    ${image.repository}:${image.tags.join(',') || 'untagged'}  ${image.digest}${sparedText(quarantine.reach, image)}`,
    ),
    `  regions    ${acknowledgedText(state)}`,
    ...(quarantine.releasedAt === null
      ? []
      : [
          `  released   ${timeText(quarantine.releasedAt)} by ${quarantine.releasedBy}: ${quarantine.releaseReason}`,
        ]),
  ].join('\n');
}
