/**
 * `npm run dev`: two regions, an agent and a few images, from the sources as they are. Home is at port 5000 and away at
 * 5001 where these are free. Ctrl-C ends and removes everything; what is needed for longer belongs into a `lazaret serve`
 * of one's own.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { interruption } from '../demo/interruption.ts';
import { waitWithGuide } from '../demo/keep.ts';
import { endAbandoned } from '../demo/leftovers.ts';
import { Narrator } from '../demo/narrator.ts';
import { Missing, prepareMachine } from '../demo/preconditions.ts';
import { seed } from '../demo/seed.ts';
import { Story } from '../demo/story.ts';
import { World, worldsFolder } from '../demo/world.ts';

process.exit(await main());

async function main(): Promise<number> {
  const { signal, exitCode } = interruption((name) => console.log(`\n${name}: ending everything …`));
  try {
    await dev(signal);
  } catch (error) {
    if (exitCode() === undefined) {
      console.error(error instanceof Missing ? `lazaret: ${error.message}` : error);
      return error instanceof Missing ? 2 : 1;
    }
  }
  return 0; // Ctrl-C is how it is meant to end
}

async function dev(signal: AbortSignal): Promise<void> {
  const styled = process.stdout.isTTY === true && process.env.NO_COLOR === undefined;
  const narrator = new Narrator({ styled, signal });
  const tools = await prepareMachine();
  await mkdir(worldsFolder, { recursive: true });
  await endAbandoned(worldsFolder, tools);
  const folder = join(worldsFolder, `dev-${process.pid}`);
  const world = await World.open({ folder, tools, narrator, signal, portsWanted: [5000, 5001, 8080] });
  try {
    const deployment = await seed(new Story({ world, narrator, signal }));
    await waitWithGuide(world, { deployment, signal });
  } finally {
    await world.close();
  }
}
