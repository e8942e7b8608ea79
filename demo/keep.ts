import { once } from 'node:events';
import { lazaretFile } from './processes.ts';
import { shortPath } from './repository.ts';
import type { World } from './world.ts';

interface GuideOptions {
  /** A deployment that runs. */
  readonly deployment: string;
  readonly signal: AbortSignal;
}

/** Says what there is to look at and how, then waits for Ctrl-C. */
export async function waitWithGuide(world: World, { deployment, signal }: GuideOptions): Promise<void> {
  console.log(guideText(world, deployment));
  if (!signal.aborted) await once(signal, 'abort');
}

function guideText({ home, away, people, appPort, folder }: World, deployment: string): string {
  const names = Object.values(people).map(({ name }) => name);
  const here = shortPath(folder);
  return `
Everything runs, until Ctrl-C.

  home         ${home.url}  (its API: /api/v1/openapi.json, its figures: /metrics)
  away         ${away.url}
  the app      http://localhost:${appPort}
  logs         ${here}/{home,away,agent}.log
  admin        password in ${shortPath(home.dataFolder)}/admin-password
  credentials  docker's own format, a folder each: ${here}/people/{${names.join(',')}}

To try, in another terminal, as acme (whose images these are):

  export LAZARET_SERVER=${home.url} DOCKER_CONFIG=${people.acme.dockerConfig}
  alias lazaret='${process.execPath} ${lazaretFile}'
  lazaret image ls
  lazaret scan --all --package 'pkg:npm/lodash@<5'
  lazaret ps
  lazaret deploy show ${deployment}
  lazaret deploy stop ${deployment} --reason 'to see it end'
  lazaret deploy start ${deployment}
  lazaret events --follow
`;
}
