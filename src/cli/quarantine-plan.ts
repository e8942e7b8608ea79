import { type Client, call } from '../client/client.ts';
import { planCreate } from '../contract/quarantines.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { formatDuration } from '../lib/duration.ts';
import type { CliIo } from './io.ts';
import { type OutputFormat, print } from './output.ts';
import { countText, digestText, sizeText, timeText } from './words.ts';

export type PlanAnswer = RouteAnswer<typeof planCreate>;

export interface PlanBody {
  readonly scan?: string;
  readonly targets?: {
    readonly layers?: string[];
    readonly manifests?: string[];
    readonly repositories?: string[];
  };
  readonly criteria?: unknown;
  readonly scope?: { readonly image?: string; readonly repositories?: string };
  readonly reach: 'layer' | 'image';
  readonly retention?: string;
}

/** Makes a plan and shows what it would do. */
export async function planMade(
  io: CliIo,
  client: Client,
  ask: { readonly output: OutputFormat; readonly body: PlanBody },
): Promise<void> {
  const { scope, ...rest } = ask.body;
  const body = { ...rest, ...(scope === undefined ? {} : { scope: { ...scope } }) };
  const plan = await call(client, planCreate, { body }, { signal: io.signal });
  await print(io, ask.output, plan, () => planText(plan));
}

const verbs = { quarantine: 'quarantine', destroy: 'destroy', retention: 'keep' } as const;

export function planText(plan: PlanAnswer): string {
  const { radius, request } = plan;
  return [
    `${plan.name} @${plan.position}  ${verbs[plan.effect]} ${countText(radius.layers.length, 'layer')}, reaching ${countText(radius.images.length, 'image')} · ${countText(radius.containers.length, 'container')} running · regions ${radius.regions.join(', ')}`,
    ...radius.layers.map((layer) => `  layer      ${digestText(layer.digest)}  ${sizeText(layer.sizeBytes)}`),
    ...request.marks
      .filter((mark) => mark.target === 'manifest')
      .map((mark) => `  manifest   ${digestText(mark.digest ?? '')}`),
    ...request.marks
      .filter((mark) => mark.target === 'repository')
      .map((mark) => `  repository ${mark.repositoryGlob}`),
    ...radius.images.map(
      (image) =>
        `  image      ${image.repository}:${image.tags.join(',') || 'untagged'}  ${digestText(image.digest)}`,
    ),
    ...radius.containers.map(
      (container) =>
        `  container  ${container.deployment} of ${container.account} on ${container.instance} in ${container.region}`,
    ),
    effectText(plan),
    plan.appliedAt === null ? `apply with: lazaret quarantine apply ${plan.name} --reason TEXT` : 'applied',
  ].join('\n');
}

function effectText({ effect, request }: PlanAnswer): string {
  if (effect === 'destroy') return '  the bytes of these layers go, in every region; this cannot be undone';
  if (effect === 'retention')
    return `  the bytes are kept until ${timeText(request.retainUntil ?? null)}, and go then`;
  return `  doors      refuse at once; the bytes are kept ${formatDuration(request.retentionMs)}`;
}
