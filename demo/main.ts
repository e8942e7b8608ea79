/**
 * The whole loop, once, for real: `npm run demo`. Two servers and an agent are started as processes of their own; a real
 * image is pushed, inspected, copied, launched, revoked, quarantined and collected; and whatever is claimed is checked.
 * Exits 0 only if all of it held, 1 if a check failed, 2 if this machine lacks something. Nothing is left behind.
 */
import { join } from 'node:path';
import { causeChain } from '../src/lib/errors.ts';
import { interruption } from './interruption.ts';
import { waitWithGuide } from './keep.ts';
import { endAbandoned } from './leftovers.ts';
import { CheckFailed, Narrator, secondsText } from './narrator.ts';
import { type DemoOptions, demoOptions, usage } from './options.ts';
import { Missing, prepareMachine } from './preconditions.ts';
import { undoThenDestroy } from './steps/destroy.ts';
import { deployFix } from './steps/fixed.ts';
import { showInspection } from './steps/inspect.ts';
import { launchAway } from './steps/launch.ts';
import { endWithLease } from './steps/lease.ts';
import { pushImage } from './steps/push.ts';
import { quarantineByRequest } from './steps/quarantine.ts';
import { revokeByEvent } from './steps/revoke.ts';
import { Story } from './story.ts';
import { World, worldsFolder } from './world.ts';

process.exit(await main(process.argv.slice(2)));

async function main(argv: readonly string[]): Promise<number> {
  const { signal, exitCode } = interruption((name) => console.log(`\n${name}: ending everything …`));
  try {
    const options = demoOptions(argv);
    if (options) await demo(options, signal);
    else console.log(usage);
    return exitCode() ?? 0;
  } catch (error) {
    return exitCode() ?? failed(error);
  }
}

async function demo({ keep }: DemoOptions, signal: AbortSignal): Promise<void> {
  const startedMs = performance.now();
  const styled = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  const narrator = new Narrator({ styled, signal });
  const tools = await prepareMachine();
  await endAbandoned(worldsFolder, tools);
  const folder = join(worldsFolder, `demo-${process.pid}`);
  narrator.title('Lazaret: a container registry that can take an image back');
  const world = await World.open({ folder, tools, narrator, signal, grace: '2s' });
  try {
    narrator.say(`home   ${world.home.url}`);
    narrator.say(`away   ${world.away.url}`);
    narrator.moment('home, away', 'both regions were ready', { tookMs: performance.now() - startedMs });
    const story = new Story({ world, narrator, signal });
    await tell(story);
    // It ends what somebody would want to look at.
    if (!keep) await narrator.step(8, 'What nobody can reach ends with its lease', () => endWithLease(story));
    narrator.timeline();
    const took = secondsText(performance.now() - startedMs);
    narrator.title(`${narrator.verified.length} checks held, in ${took}`);
    if (keep) await waitWithGuide(world, { deployment: 'shop-fixed', signal });
  } finally {
    await world.close();
  }
}

async function tell(story: Story): Promise<void> {
  const { narrator } = story;
  const cast = await narrator.step(1, 'A real image is built and pushed', () => pushImage(story));
  await narrator.step(2, 'What is in it is known', () => showInspection(story, cast));
  await narrator.step(3, 'It runs in another region, from the copy there', () => launchAway(story, cast));
  await narrator.step(4, 'An event that its owner named takes it back', () => revokeByEvent(story, cast));
  const first = await narrator.step(5, 'A request makes its layer un-referenceable', () =>
    quarantineByRequest(story, cast),
  );
  const second = await narrator.step(6, 'That is undone; then it is destroyed', () =>
    undoThenDestroy(story, cast, first),
  );
  await narrator.step(7, 'The fix runs', () => deployFix(story, second));
}

function failed(error: unknown): number {
  if (error instanceof Missing) {
    console.error(`lazaret: ${error.message}`);
    return 2;
  }
  if (error instanceof CheckFailed) {
    console.error(`\nA check failed: ${error.message}`);
    console.error(`  ${causeChain(error.cause)}`);
    return 1;
  }
  console.error(error);
  return 1;
}
