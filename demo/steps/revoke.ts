import assert from 'node:assert/strict';
import { listens } from '../app-client.ts';
import { assertRefused } from '../doors.ts';
import { millisText } from '../narrator.ts';
import { shortPath } from '../repository.ts';
import type { DemoEvent, Story } from '../story.ts';
import { instanceName } from '../world.ts';
import { deploymentName } from './launch.ts';
import type { Cast } from './push.ts';

const advisoryFile = shortPath(new URL('../advisories/GHSA-35jh-r3h4-6jhm.json', import.meta.url));

/** 4: the event that the owner's criteria name occurs. */
export async function revokeByEvent(story: Story, cast: Cast): Promise<void> {
  const { narrator, world } = story;
  const { home, away, people } = world;
  const watch = watchPort(story);
  await narrator.check('the advisory for lodash before 4.17.21 is imported', () =>
    people.admin.lazaret(home, ['advisory', 'import', advisoryFile]),
  );
  const imported = await story.event(home, 'advisory.imported', () => true);
  narrator.moment('home', 'the advisory for lodash was imported', { at: imported.at });
  const met = await narrator.check(
    'the event names the criteria, the finding and the container',
    async () => assertNames(await story.event(home, 'criteria.met', () => true), cast),
    ({ at }) => `${millisText(at - imported.at)} after the import`,
  );
  narrator.moment('home', 'the event criteria of the image were met', sinceImport(imported, met.at));
  const stoppedAt = await narrator.check(
    'the container was stopped in away, and its exit was seen',
    () => stopped(story, imported.at),
    (at) => `${millisText(at - imported.at)} after the import`,
  );
  narrator.moment('away', 'the container had ended', sinceImport(imported, stoppedAt));
  const refusedAt = await narrator.check(
    'its port refuses connections',
    () => watch,
    (at) => `${millisText(at - imported.at)} after the import`,
  );
  narrator.moment('away', 'the port refused connections', sinceImport(imported, refusedAt));
  await refusedToEntity(story, cast);
  await narrator.check('acme, who owns it, can still pull it', () =>
    story.registry(away, people.acme, 'acme/shop').pullImage(cast.shop, cast.shop.manifest.digest),
  );
}

/** What the entity that the instance belongs to can't do any more. */
async function refusedToEntity(story: Story, { shop, vulnerable }: Cast): Promise<void> {
  const { narrator, world } = story;
  const { home, away, people } = world;
  await narrator.check('globex tries to reach it: refused', async () => {
    assert.equal(await listens(world.appPort), false);
  });
  await narrator.check('globex tries to start it again: refused', () =>
    people.globex.lazaret(home, ['deploy', 'start', deploymentName], { exitCodes: [2] }),
  );
  for (const region of [home, away])
    await narrator.check(
      `globex tries to pull it from ${region.name}: refused`,
      async () => {
        const registry = story.registry(region, people.globex, 'acme/shop');
        assertRefused(await registry.blob(vulnerable.digest), 'R-1');
        return assertRefused(await registry.manifest(shop.manifest.digest), 'R-1');
      },
      ({ status, message }) => `${status}, ${message}`,
    );
}

function assertNames(event: DemoEvent, { vulnerable, eventCriteria }: Cast): DemoEvent {
  const finding = {
    advisory: 'GHSA-35jh-r3h4-6jhm',
    severity: 'high',
    purl: 'pkg:npm/lodash@4.17.20',
    fixedVersion: '4.17.21',
    layer: vulnerable.digest,
  };
  assert.partialDeepStrictEqual(event.data, {
    criteria: 'a fixable advisory of severity high or worse applies',
    source: `image ${eventCriteria.manifest.digest}`,
    evidence: [finding],
    containers: [{ region: 'away', instance: instanceName, state: 'running' }],
  });
  return event;
}

/** When the exit was seen of the container that ended after `since`; both are milliseconds since 1970. */
export async function stopped(story: Story, since: number): Promise<number> {
  const { data } = await story.event(story.world.away, 'container.stopped', ({ at }) => at >= since);
  assert.equal(data.exitCode, 0, 'it handles TERM and ends with 0');
  return Number(data.stoppedAt);
}

/** Asks the port until it refuses. @returns when, in milliseconds since 1970 */
async function watchPort(story: Story): Promise<number> {
  const { appPort } = story.world;
  await story.until(`port ${appPort} to refuse`, async () => !(await listens(appPort)), 30_000);
  return Date.now();
}

function sinceImport(imported: DemoEvent, at: number): { at: number; tookMs: number } {
  return { at, tookMs: at - imported.at };
}
