import { once } from 'node:events';
import { lazaretFile } from './processes.ts';
import type { World } from './world.ts';

/** Says what there is to look at and how, then waits for Ctrl-C. */
export async function keepRunning(world: World, signal: AbortSignal): Promise<void> {
  console.log(guideText(world));
  if (!signal.aborted) await once(signal, 'abort');
}

function guideText(world: World): string {
  const { home, away, people, appPort, folder } = world;
  const names = Object.values(people).map((one) => one.name);
  return `
Everything is left running, until Ctrl-C.

  home         ${home.url}  (its API: /api/v1/openapi.json, its figures: /metrics)
  away         ${away.url}
  the app      http://localhost:${appPort}
  logs         ${folder}/home.log, away.log, agent.log
  admin        password in ${home.dataFolder}/admin-password
  credentials  docker's own format, one folder each: ${folder}/people/{${names.join(',')}}/config.json

To try, in another terminal:

  export LAZARET_SERVER=${home.url} DOCKER_CONFIG=${people.acme.dockerConfig}
  alias lazaret='${process.execPath} ${lazaretFile}'
  lazaret ps
  lazaret image ls
  lazaret scan --all --package 'pkg:npm/lodash@<5'
  lazaret deploy stop shop-fixed --reason 'to see it stop'
  lazaret deploy start shop-fixed
  lazaret events --follow
`;
}
