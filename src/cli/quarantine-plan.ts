import { type Client, call } from '../client/client.ts';
import { planCreate } from '../contract/quarantines.ts';
import type { RouteAnswer } from '../contract/route.ts';
import { formatDuration } from '../lib/duration.ts';
import { LazaretError } from '../lib/errors.ts';
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
  readonly reach?: 'layer' | 'image';
  readonly unknown?: 'allow' | 'refuse';
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
    `${plan.name} @${plan.position}  ${verbs[plan.effect]} ${countText(radius.layers.length, 'layer')}, reaching ${imagesText(request.reach, radius.images)} · ${countText(radius.containers.length, 'container')} running · regions ${radius.regions.join(', ')}`,
    ...radius.layers.map((layer) => `  layer      ${digestText(layer.digest)}  ${sizeText(layer.sizeBytes)}`),
    ...request.marks
      .filter((mark) => mark.target === 'manifest')
      .map((mark) => `  manifest   ${digestText(mark.digest ?? '')}`),
    ...request.marks
      .filter((mark) => mark.target === 'repository')
      .map((mark) => `  repository ${mark.repositoryGlob}`),
    ...radius.images.map(
      (image) =>
        `  image      ${image.repository}:${image.tags.join(',') || 'untagged'}  ${digestText(image.digest)}${sparedText(request.reach, image)}`,
    ),
    ...(plan.effect === 'quarantine' ? [reachesText(plan)] : []),
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

/** From `--reach`; left out, the server decides by the question. @throws invalid */
export function reachAsked(text: string | undefined): { readonly reach?: 'layer' | 'image' } {
  if (text === undefined) return {};
  if (text === 'layer' || text === 'image') return { reach: text };
  throw new LazaretError('invalid', `--reach '${text}': layer or image`);
}

type Images = PlanAnswer['radius']['images'];

/** `2 images`, or with reach image `1 image, 3 spared`. */
export function imagesText(reach: 'layer' | 'image', images: Images): string {
  const spared = reach === 'image' ? images.filter((image) => image.reachImage === 'spared').length : 0;
  const refused = countText(images.length - spared, 'image');
  return spared > 0 ? `${refused}, ${spared} spared` : refused;
}

export function sparedText(reach: 'layer' | 'image', { reachImage }: Images[number]): string {
  if (reachImage === 'refused') return '';
  if (reach === 'layer')
    return reachImage === 'spared' ? '  reach image spares it' : '  reach image asks its inspection';
  return reachImage === 'spared' ? '  spared' : '  refused until it is inspected';
}

function reachesText({ request, radius }: PlanAnswer): string {
  const count = (what: Images[number]['reachImage']) =>
    radius.images.filter((image) => image.reachImage === what).length;
  const undecided = count('undecided') > 0 ? `, ${count('undecided')} once inspected` : '';
  return `  reach      ${request.reach}; layer refuses ${radius.images.length}, image refuses ${count('refused')} and spares ${count('spared')}${undecided}`;
}
