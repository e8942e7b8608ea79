import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { attachCriteria, caller, seedImage, seedQuarantine } from '../../../test/support/fleet.ts';
import { openMemoryStore } from '../../blobs/memory.ts';
import type { Deployment } from '../../contract/fleet.ts';
import { ManualClock } from '../../lib/clock.ts';
import { limits } from '../../lib/limits.ts';
import { grantRevoke, grantSet } from '../../records/access/grants.ts';
import { fleetApply } from '../../records/fleet/apply.ts';
import { containerList } from '../../records/fleet/containers.ts';
import { deploymentByUid } from '../../records/fleet/deployments.ts';
import { instanceAdd, instanceByUid } from '../../records/fleet/instances.ts';
import { revocationAdd, revocationsOpen } from '../../records/fleet/revocations.ts';
import { logRead } from '../../records/log/log.ts';
import { regionsEnsure } from '../../records/regions/regions.ts';
import { agentReport } from './agent-report.ts';
import { assignmentsOf } from './assignments.ts';
import {
  deploymentDelete,
  deploymentNamed,
  deploymentRestore,
  deploymentStart,
  deploymentStop,
} from './change-deployment.ts';
import { deploymentCreate } from './create-deployment.ts';
import { assignmentsWatch } from './watch-assignments.ts';

const owner = caller('jo', 'maintainer', 'acme');
const entity = caller('glo', 'maintainer', 'globex');
const terms = { owner: 'acme', grantee: 'globex', repositoryGlob: 'acme/shop' };
const request = {
  name: 'shop',
  account: 'globex',
  reference: 'acme/shop:1',
  region: 'home',
  instance: 'host-1',
  env: { PORT: '8080' },
};

describeEngines('launch', (engine) => {
  async function world(options: { granted?: boolean; blobs?: 'live' | 'remote' } = {}) {
    const clock = new ManualClock();
    const database = await engine.open({ clock });
    const blobs = await openMemoryStore({ region: 'home' });
    const image = await seedImage(database, options.blobs ? { blobs: options.blobs } : {});
    const instance = await database.transact(async (tx) => {
      const self = { name: 'home', url: 'http://home' };
      await regionsEnsure(tx, { self, primary: 'home', peers: [{ name: 'away', url: 'http://away' }] });
      if (options.granted ?? true) await grantSet(tx, terms, 'jo');
      return instanceAdd(tx, { name: 'host-1', account: 'globex', actor: 'glo' });
    });
    const deps = { database, blobs, region: 'home' };
    const revoke = (deployment: Deployment) =>
      database.transact((tx) =>
        revocationAdd(tx, {
          deploymentUid: deployment.uid,
          account: 'globex',
          repository: 'acme/shop',
          manifestDigest: image.digest,
          trigger: 'it is late',
          evidence: [],
          cause: null,
          announcedOnly: false,
        }),
      );
    return { clock, database, blobs, image, instance, deps, revoke };
  }

  it('creates a deployment of what the tag names now, holds its image and tells the followers', async () => {
    const { deps, database, image } = await world();
    const deployment = await deploymentCreate(deps, owner, request);
    expect(deployment).toMatchObject({ manifestDigest: image.digest, owner: 'acme', desired: 'running' });
    expect(await deploymentByUid(database.read, deployment.uid)).toEqual(deployment);
    const holds = await database.read.selectFrom('holds').select(['kind', 'digest']).execute();
    expect(holds).toEqual([{ kind: 'deployment', digest: image.digest }]);
    const events = await logRead(database.read, { after: 0, limit: 100, lane: 'content' });
    expect(events.at(-1)).toMatchObject({ type: 'deployment.set', data: { ...deployment, revocations: [] } });
    expect(events.at(-1)?.position).toBe(deployment.version);
  });

  it.each([
    ['an unknown region', { region: 'mars' }, 'regionUnknown'],
    ['an unknown instance', { instance: 'host-9' }, 'instanceUnknown'],
    ['an instance of another region', { region: 'away' }, 'instanceUnknown'],
    ['an instance of another account', { account: 'initech' }, 'instanceUnknown'],
    ['an unknown tag', { reference: 'acme/shop:9' }, 'manifestUnknown'],
    ['an unknown repository', { reference: 'acme/nothing:1' }, 'nameUnknown'],
    ['event criteria that are wrong', { eventCriteria: { when: [] } }, 'invalid'],
  ])('refuses to create with %s', async (_, change, code) => {
    const { deps } = await world();
    await expect(deploymentCreate(deps, owner, { ...request, ...change })).rejects.toMatchObject({ code });
  });

  it('refuses to create without a grant, without the role, twice, or of a quarantined image', async () => {
    const { deps, database, image } = await world({ granted: false });
    await expect(deploymentCreate(deps, owner, request)).rejects.toMatchObject({ code: 'grantMissing' });
    await database.transact((tx) => grantSet(tx, terms, 'jo'));
    await expect(deploymentCreate(deps, entity, request)).rejects.toMatchObject({ code: 'denied' });
    await deploymentCreate(deps, owner, request);
    await expect(deploymentCreate(deps, owner, request)).rejects.toMatchObject({ code: 'conflict' });
    await seedQuarantine(database, image.layer);
    const second = { ...request, name: 'second' };
    await expect(deploymentCreate(deps, owner, second)).rejects.toMatchObject({ code: 'quarantined' });
  });

  it('inherits the event criteria of the image and adds its own, with the shortest stop deadline', async () => {
    const { deps, database, blobs, image } = await world();
    const document = { when: [{ quarantined: true }], response: 'stop', stopDeadline: '3s' };
    const referrer = await attachCriteria({ database, blobs }, image.digest, document);
    const own = { when: [{ grantRevoked: true }], response: 'notify', stopDeadline: '5s' };
    const created = await deploymentCreate(deps, owner, {
      ...request,
      eventCriteria: own,
      stopDeadlineMs: 9_000,
    });
    expect(created.stopDeadlineMs).toBe(3_000);
    expect(created.eventCriteria).toEqual([
      { source: `image ${referrer}`, document },
      { source: 'deployment', document: own },
    ]);
  });

  it('refuses to deploy an image whose event criteria can not be read', async () => {
    const { deps, database, blobs, image } = await world();
    await attachCriteria({ database, blobs }, image.digest, { when: 'never' });
    await expect(deploymentCreate(deps, owner, request)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('lets owner and entity stop and start, and others not even see it', async () => {
    const { deps, database } = await world();
    await deploymentCreate(deps, owner, request);
    const stopped = await deploymentStop(deps, entity, { name: 'shop', reason: 'night' });
    expect(stopped).toMatchObject({ desired: 'stopped', desiredReason: 'night' });
    expect(await database.read.selectFrom('holds').selectAll().execute()).toEqual([]);
    expect(await deploymentStart(deps, owner, { name: 'shop' })).toMatchObject({ desired: 'running' });
    const stranger = caller('eve', 'maintainer', 'initech');
    await expect(deploymentStop(deps, stranger, { name: 'shop' })).rejects.toMatchObject({
      code: 'notFound',
    });
  });

  it('refuses to start while a revocation stands, until the owner restores', async () => {
    const { deps, database, revoke } = await world();
    const deployment = await deploymentCreate(deps, owner, request);
    await deploymentStop(deps, owner, { name: 'shop' });
    const { name } = await revoke(deployment);
    const start = deploymentStart(deps, entity, { name: 'shop' });
    await expect(start).rejects.toMatchObject({
      code: 'denied',
      detail: { revocation: name, reason: 'it is late' },
    });
    const reason = 'accepted';
    await expect(deploymentRestore(deps, entity, { name: 'shop', reason })).rejects.toMatchObject({
      code: 'denied',
    });
    const restored = await deploymentRestore(deps, owner, { name: 'shop', reason });
    expect(restored).toMatchObject({ desired: 'running', desiredReason: null });
    expect(await revocationsOpen(database.read, deployment.uid)).toEqual([]);
  });

  it('frees the name when it is deleted, and has its container stopped', async () => {
    const { deps, database, instance } = await world();
    await deploymentCreate(deps, owner, request);
    await deploymentDelete(deps, owner, { name: 'shop' });
    await expect(deploymentNamed(database.read, owner, { name: 'shop' })).rejects.toMatchObject({
      code: 'notFound',
    });
    await deploymentCreate(deps, owner, request);
    const { assignments } = await assignmentsOf(database.read, instance);
    expect(assignments.map(({ action }) => action)).toEqual(['stop', 'run']);
  });

  it('assigns what is complete here, open and granted, and lets what runs be otherwise', async () => {
    const { deps, database, image, instance } = await world();
    await deploymentCreate(deps, owner, request);
    const order = async () => (await assignmentsOf(database.read, instance)).assignments[0];
    expect(await order()).toMatchObject({
      action: 'run',
      manifestDigest: image.digest,
      env: { PORT: '8080' },
    });
    const setBlob = (state: 'live' | 'remote') =>
      database.transact(async (tx) => {
        await tx.db.updateTable('blobs').set({ state }).where('digest', '=', image.layer).execute();
      });
    await setBlob('remote');
    expect(await order()).toMatchObject({
      action: 'wait',
      reason: expect.stringContaining('1 of the image'),
    });
    await setBlob('live');
    await database.transact((tx) => grantRevoke(tx, terms, 'jo'));
    expect(await order()).toMatchObject({ action: 'wait', reason: 'acme has not granted acme/shop' });
    await seedQuarantine(database, image.layer);
    expect(await order()).toMatchObject({ action: 'wait', reason: 'quarantined (Q-1): a leaked key' });
    await deploymentStop(deps, owner, { name: 'shop' });
    expect(await order()).toMatchObject({ action: 'stop', reason: 'stopped by jo' });
  });

  it('sends the assignments, a heartbeat in silence, and the next as soon as they change', async () => {
    const { deps, database, clock, instance } = await world();
    const ended = new AbortController();
    const lines = assignmentsWatch({ database, clock }, instance, ended.signal);
    expect((await lines.next()).value).toMatchObject({ kind: 'assignments', assignments: [] });
    const beat = lines.next();
    const ticking = setInterval(() => clock.advance(limits.heartbeatMs), 1);
    expect((await beat).value).toMatchObject({ kind: 'heartbeat' });
    clearInterval(ticking);
    const changed = lines.next();
    await deploymentCreate(deps, owner, request);
    expect((await changed).value).toMatchObject({ kind: 'assignments', assignments: [{ action: 'run' }] });
    const last = lines.next();
    ended.abort();
    expect((await last).done).toBe(true);
  });

  it('keeps what agents report, with an event only where something changed', async () => {
    const { deps, database, instance } = await world();
    const { uid } = await deploymentCreate(deps, owner, request);
    const { version: before } = (await deploymentByUid(database.read, uid)) ?? { version: 0 };
    const container = {
      uid: 'c1',
      deployment: uid,
      manifestDigest: 'sha256:1',
      state: 'running' as const,
      message: null,
      exitCode: null,
      startedAt: 5,
      stoppedAt: null,
    };
    const report = { revision: 1, runtime: 'fake', containers: [container] };
    await agentReport(deps, instance, report);
    await agentReport(deps, instance, report);
    await agentReport(deps, instance, {
      ...report,
      containers: [{ ...container, state: 'stopped', exitCode: 0, stoppedAt: 9 }],
    });
    const events = await logRead(database.read, { after: before, limit: 10 });
    expect(events.map(({ type }) => type)).toEqual(['container.started', 'container.stopped']);
    expect(await containerList(database.read)).toMatchObject([{ uid: 'c1', state: 'stopped', exitCode: 0 }]);
    expect(await instanceByUid(database.read, instance.uid)).toMatchObject({ runtime: 'fake' });
  });

  it('takes a running container that a report no longer names for stopped, its end not seen', async () => {
    const { deps, database, instance } = await world();
    const none = { message: null, exitCode: null, startedAt: 5, stoppedAt: null };
    const container = {
      uid: 'c1',
      deployment: 'd',
      manifestDigest: 'sha256:1',
      state: 'running' as const,
      ...none,
    };
    await agentReport(deps, instance, { revision: 1, runtime: 'fake', containers: [container] });
    await agentReport(deps, instance, { revision: 1, runtime: 'fake', containers: [] });
    expect(await containerList(database.read)).toMatchObject([
      { state: 'stopped', stoppedAt: null, message: expect.stringContaining('not seen') },
    ]);
  });

  it('lets no agent change a container of another instance', async () => {
    const { deps, database, instance } = await world();
    const other = await database.transact((tx) =>
      instanceAdd(tx, { name: 'host-2', account: 'initech', actor: 'ini' }),
    );
    const { uid } = await deploymentCreate(deps, owner, request);
    const none = { message: null, exitCode: null, startedAt: 5, stoppedAt: null };
    const container = {
      uid: 'c1',
      deployment: uid,
      manifestDigest: 'sha256:1',
      state: 'running' as const,
      ...none,
    };
    await agentReport(deps, instance, { revision: 1, runtime: 'fake', containers: [container] });
    const forged = [
      { ...container, state: 'stopped' as const },
      { ...container, uid: 'c2' },
    ];
    await agentReport(deps, other, { revision: 1, runtime: 'fake', containers: forged });
    expect(await containerList(database.read)).toMatchObject([{ uid: 'c1', state: 'running' }]);
  });

  it('comes to the same rows in another region, in whatever order the events arrive', async () => {
    const { deps, database } = await world();
    const created = await deploymentCreate(deps, owner, request);
    await deploymentDelete(deps, owner, { name: 'shop' });
    const next = await deploymentCreate(deps, owner, request);
    const events = (await logRead(database.read, { after: 0, limit: 100 })).filter(({ type }) =>
      type.startsWith('deployment.'),
    );
    const [first, ended, second] = events;
    for (const order of [events, [...events].reverse(), [second, first, ended]]) {
      const away = await engine.open({ region: 'away' });
      for (const event of [...order, ...order]) if (event) await away.transact((tx) => fleetApply(tx, event));
      expect(await deploymentByUid(away.read, next.uid)).toEqual(next);
      expect(await deploymentByUid(away.read, created.uid)).toMatchObject({ desired: 'removed' });
      const holds = await away.read.selectFrom('holds').select('holder').execute();
      expect(holds).toEqual([{ holder: next.uid }]);
    }
  });

  it('decides in the primary region only', async () => {
    const { deps, database } = await world();
    await database.transact((tx) =>
      regionsEnsure(tx, {
        self: { name: 'home', url: 'http://home' },
        primary: 'away',
        peers: [{ name: 'away', url: 'http://away' }],
      }),
    );
    const refused = deploymentCreate(deps, owner, request);
    await expect(refused).rejects.toMatchObject({ code: 'readOnlyReplica', detail: { url: 'http://away' } });
  });
});
