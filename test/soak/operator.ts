/** Quarantines that are set and lifted again, by the operator or by an account, and collections that somebody asks for. */
import { execFile } from 'node:child_process';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { call } from '../../src/client/client.ts';
import { gcRun } from '../../src/contract/collection.ts';
import { planApply, planCreate, planShow, quarantineReleaseRoute } from '../../src/contract/quarantines.ts';
import { api } from './api.ts';
import { lazaretFile, type Server } from './fleet.ts';
import type { Quarantine } from './quarantines.ts';
import { type Actor, adminOf, anyServer, type Storm, violate } from './storm.ts';
import { repositories } from './universe.ts';

const run = promisify(execFile);

export async function collectNow(actor: Actor): Promise<void> {
  const done = await api(actor, (client) => call(client, gcRun));
  if (done.kind === 'failed') violate(actor.storm, `gc: ${done.error.code}: ${done.error.message}`);
  if (done.kind === 'answered' && done.value.paused !== null)
    violate(actor.storm, `the collector is paused: ${done.value.paused}`);
}

/** Plans, applies, waits, and lifts it again, also if the storm ends meanwhile. */
export async function quarantineForAWhile(actor: Actor): Promise<void> {
  const { storm, random } = actor;
  const account = random.chance(0.3) ? 'acme' : null;
  const short = random.chance(0.5);
  const retention = short ? `${2 + random.below(4)}s` : '10m';
  const plan = await api(actor, (client, server) =>
    call(ownOr(client, storm, server, account), planCreate, { body: { targets: targets(actor), retention } }),
  );
  if (plan.kind !== 'answered') {
    if (plan.kind === 'failed') violate(storm, `plan: ${plan.error.code}: ${plan.error.message}`);
    return;
  }
  const { name, request } = plan.value;
  const quarantine = storm.quarantines.add({
    account,
    marks: request.marks,
    retainedUntil: performance.now() + request.retentionMs,
  });
  const uid = await applied(actor, name, quarantine);
  if (uid === undefined) return;
  await delay(300 + random.below(short ? 9_000 : 5_000), undefined, { signal: storm.ending }).catch(() => {});
  await release(actor, uid, quarantine);
}

function targets({ storm: { universe }, random }: Actor) {
  const kind = random.weighted({ layer: 60, manifest: 27, repository: 13 });
  if (kind === 'repository') return { repositories: [random.pick(repositories)] };
  if (kind === 'manifest') return { manifests: [universe.pick().manifest.digest] };
  return { layers: [random.pick(universe.layers).digest] };
}

function ownOr(
  client: ReturnType<typeof adminOf>,
  { acme }: Storm,
  server: Server,
  account: string | null,
): ReturnType<typeof adminOf> {
  if (account === null) return client;
  return { ...client, url: server.url, credentials: { kind: 'basic', ...acme } };
}

/** Asks until it knows. @returns the quarantine's uid; undefined if it was not set */
async function applied(actor: Actor, plan: string, quarantine: Quarantine): Promise<string | undefined> {
  const { storm } = actor;
  for (;;) {
    const { account } = quarantine;
    const set = await api(actor, (client, server) =>
      call(ownOr(client, storm, server, account), planApply, {
        params: { name: plan },
        body: { reason: 'soak' },
      }),
    );
    if (set.kind === 'answered') {
      quarantine.acknowledgedAt = set.endedAt;
      storm.counts.marks += 1;
      return set.value.uid;
    }
    if (set.kind === 'failed' && set.error.code === 'conflict') return appliedBefore(actor, plan, quarantine);
    if (set.kind === 'failed') {
      // What it would reach has changed meanwhile.
      if (set.error.code !== 'planStale') violate(storm, `apply: ${set.error.code}: ${set.error.message}`);
      quarantine.releaseAskedAt = set.startedAt;
      quarantine.releasedAt = set.endedAt;
      return undefined;
    }
    await delay(200);
  }
}

/** Whose answer never came: it is in force. */
async function appliedBefore(actor: Actor, plan: string, quarantine: Quarantine): Promise<string> {
  for (;;) {
    const shown = await api(actor, (client) => call(client, planShow, { params: { name: plan } }));
    if (shown.kind === 'answered' && shown.value.quarantineUid !== null) {
      quarantine.acknowledgedAt = shown.endedAt;
      actor.storm.counts.marks += 1;
      return shown.value.quarantineUid;
    }
    await delay(200);
  }
}

async function release(actor: Actor, name: string, quarantine: Quarantine): Promise<void> {
  const { storm, random } = actor;
  quarantine.releaseAskedAt = performance.now();
  if (random.chance(0.1)) await releaseByCommand(actor, name);
  for (;;) {
    const lifted = await api(actor, (client) =>
      call(client, quarantineReleaseRoute, { params: { name }, body: { reason: 'soak' } }),
    );
    const before = lifted.kind === 'failed' && lifted.error.code === 'conflict';
    if (lifted.kind === 'answered' || before) {
      quarantine.releasedAt = lifted.endedAt;
      storm.counts.releases += 1;
      return;
    }
    if (lifted.kind === 'failed') violate(storm, `release: ${lifted.error.code}: ${lifted.error.message}`);
    await delay(200);
  }
}

/** As people do it; whether it worked is asked afterwards. */
async function releaseByCommand(actor: Actor, name: string): Promise<void> {
  const { storm } = actor;
  const { url } = adminOf(storm, anyServer(actor));
  const folder = await mkdtemp(join(storm.folder, 'cli-'));
  const auth = Buffer.from(`admin:${storm.password}`).toString('base64');
  await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [new URL(url).host]: { auth } } }));
  const args = [lazaretFile, 'quarantine', 'release', name, '--reason', 'soak'];
  const env = { PATH: process.env.PATH, DOCKER_CONFIG: folder, LAZARET_SERVER: url };
  await run(process.execPath, args, { env }).catch(() => {});
}
