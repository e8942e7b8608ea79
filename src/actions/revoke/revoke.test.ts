import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { caller, type SeededImage, seedImage, seedQuarantine } from '../../../test/support/fleet.ts';
import { openMemoryStore } from '../../blobs/memory.ts';
import type { Deployment } from '../../contract/fleet.ts';
import { ManualClock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { grantRevoke, grantSet } from '../../records/access/grants.ts';
import type { Database } from '../../records/db/database.ts';
import { fleetApply } from '../../records/fleet/apply.ts';
import { containerSet } from '../../records/fleet/containers.ts';
import { deploymentByUid } from '../../records/fleet/deployments.ts';
import { instanceAdd } from '../../records/fleet/instances.ts';
import { revocationList, revocationsOpen } from '../../records/fleet/revocations.ts';
import { pathsEnsure } from '../../records/inventory/paths.ts';
import { logRead } from '../../records/log/log.ts';
import { regionsEnsure } from '../../records/regions/regions.ts';
import type { Evidence, Verdict } from '../../records/scans/evidence.ts';
import { deploymentRestore, deploymentStart, deploymentStop } from '../launch/change-deployment.ts';
import { deploymentCreate } from '../launch/create-deployment.ts';
import { revokeTask } from './revoke-task.ts';

const owner = caller('jo', 'maintainer', 'acme');
const terms = { owner: 'acme', grantee: 'globex', repositoryGlob: 'acme/shop' };
const fixable = { imageMeets: { advisory: { severity: 'high', fixed: true } } };
const lodash: Evidence = {
  layer: 'sha256:layer',
  path: 'app/node_modules/lodash/package.json',
  purl: 'pkg:npm/lodash@4.17.20',
  advisory: 'GHSA-35jh-r3h4-6jhm',
  severity: 'high',
  fixedVersion: '4.17.21',
};
const never = new AbortController().signal;

describeEngines('revoke', (engine) => {
  async function world(eventCriteria: unknown) {
    const clock = new ManualClock();
    const database = await engine.open({ clock });
    const image = await seedImage(database);
    const asked: number[] = [];
    const answer: { verdict: Verdict; evidence: Evidence[]; error?: Error } = {
      verdict: 'noMatch',
      evidence: [],
    };
    await database.transact(async (tx) => {
      await regionsEnsure(tx, { self: { name: 'home', url: 'http://home' }, primary: 'home', peers: [] });
      await grantSet(tx, terms, 'jo');
      await instanceAdd(tx, { name: 'host-1', account: 'globex', actor: 'glo' });
    });
    const deps = { database, blobs: await openMemoryStore({ region: 'home' }), region: 'home' };
    const place = { account: 'globex', region: 'home', instance: 'host-1' };
    const request = { name: 'shop', reference: 'acme/shop:1', ...place, eventCriteria };
    const deployment = await deploymentCreate(deps, owner, request);
    const task = revokeTask({
      database,
      clock,
      region: 'home',
      imageMeets: async (_, manifestId) => {
        asked.push(manifestId);
        if (answer.error) throw answer.error;
        return answer;
      },
    });
    const drain = async () => {
      while ((await task.run(never)) === 'worked');
    };
    await drain();
    asked.length = 0;
    const now = () => deploymentByUid(database.read, deployment.uid);
    const run = (startedAt: number) => runContainer(database, deployment, startedAt);
    const pack = () => packLodash(database, image);
    const advisory = (packageIds: readonly number[]) => importAdvisory(database, packageIds);
    return { clock, database, deps, image, deployment, answer, asked, drain, run, advisory, pack, now };
  }

  const stop = (...when: unknown[]) => ({ when, response: 'stop' });

  it('ends a deployment when an advisory makes its criteria true, with what was found and what ran', async () => {
    const w = await world(stop(fixable));
    const lodashId = await w.pack();
    await w.run(5);
    await w.drain();
    Object.assign(w.answer, { verdict: 'match', evidence: [lodash] });
    const before = (await logRead(w.database.read, { after: 0, limit: 100 })).length;
    await w.advisory([lodashId]);
    await w.drain();
    const [imported, met, ended] = await logRead(w.database.read, { after: before, limit: 10 });
    expect(met).toMatchObject({
      type: 'criteria.met',
      lane: 'content',
      subject: 'R-1',
      cause: imported?.id,
      data: {
        deployment: { name: 'shop', account: 'globex' },
        criteria: 'a fixable advisory of severity high or worse applies',
        evidence: [{ purl: lodash.purl, advisory: lodash.advisory, fixedVersion: '4.17.21' }],
        containers: [{ uid: 'c1', instance: 'host-1', state: 'running' }],
      },
    });
    expect(ended).toMatchObject({ type: 'deployment.ended', lane: 'quarantine', cause: imported?.id });
    expect(ended?.data).toMatchObject({ desired: 'stopped', revocations: [{ name: 'R-1', liftedAt: null }] });
    expect(await w.now()).toMatchObject({
      desired: 'stopped',
      desiredReason: expect.stringContaining('R-1'),
    });
  });

  it('tells another region of the revocation with the end, before anything else', async () => {
    const w = await world(stop({ quarantined: true }));
    await seedQuarantine(w.database, w.image.layer);
    await w.drain();
    const events = await logRead(w.database.read, { after: 0, limit: 100, lane: 'quarantine' });
    const ended = events.find(({ type }) => type === 'deployment.ended');
    const away = await engine.open({ region: 'away' });
    await away.transact((tx) => fleetApply(tx, { type: 'deployment.ended', data: ended?.data }));
    expect(await revocationsOpen(away.read, w.deployment.uid)).toMatchObject([
      { name: 'R-1', trigger: 'its image is quarantined', evidence: [{ text: 'Q-1: a leaked key' }] },
    ]);
  });

  it('asks only the deployments whose image has a package that the advisory touches', async () => {
    const w = await world(stop(fixable));
    const lodashId = await w.pack();
    await w.advisory([lodashId + 1]);
    await w.drain();
    expect(w.asked).toEqual([]);
    await w.advisory([lodashId]);
    await w.drain();
    expect(w.asked).toEqual([w.image.manifestId]);
  });

  it('asks all who name an image when an import touched more packages than it lists', async () => {
    const w = await world(stop(fixable));
    await w.database.transact(async (tx) => {
      const data = { packagesAffected: 7 };
      tx.emit({ type: 'advisory.imported', lane: 'local', subject: 'osv', actor: 'jo', data });
    });
    await w.drain();
    expect(w.asked).toEqual([w.image.manifestId]);
  });

  it('asks again when an exception begins or ends to count', async () => {
    const w = await world(stop(fixable));
    for (const state of ['accepted', 'withdrawn', 'expired']) {
      await w.database.transact(async (tx) =>
        tx.emit({ type: `exception.${state}`, lane: 'local', subject: 'A-1', actor: 'sec', data: {} }),
      );
      await w.drain();
    }
    expect(w.asked).toEqual(Array.from({ length: 3 }, () => w.image.manifestId));
  });

  it('takes unknown for not met', async () => {
    const w = await world(stop(fixable));
    Object.assign(w.answer, { verdict: 'unknown' });
    await w.advisory([await w.pack()]);
    await w.drain();
    expect(w.asked).toHaveLength(1);
    expect(await w.now()).toMatchObject({ desired: 'running' });
  });

  it('does not fire again for evidence that a restore accepted, but does for more', async () => {
    const w = await world(stop(fixable));
    const lodashId = await w.pack();
    Object.assign(w.answer, { verdict: 'match', evidence: [lodash] });
    await w.advisory([lodashId]);
    await w.drain();
    const start = deploymentStart(w.deps, owner, { name: 'shop' });
    await expect(start).rejects.toMatchObject({ code: 'denied', detail: { revocation: 'R-1' } });
    await deploymentRestore(w.deps, owner, { name: 'shop', reason: 'not reachable' });
    await w.drain();
    expect(await w.now()).toMatchObject({ desired: 'running' });
    w.answer.evidence.push({ ...lodash, advisory: 'GHSA-new' });
    await w.advisory([lodashId]);
    await w.drain();
    expect(await w.now()).toMatchObject({ desired: 'stopped' });
    expect((await revocationList(w.database.read)).map(({ name }) => name).sort()).toEqual(['R-1', 'R-2']);
  });

  it('asks a deployment that starts, so that what became true while it was stopped counts', async () => {
    const w = await world(stop(fixable));
    await deploymentStop(w.deps, owner, { name: 'shop' });
    Object.assign(w.answer, { verdict: 'match', evidence: [lodash] });
    await w.drain();
    expect(await revocationList(w.database.read)).toEqual([]);
    await deploymentStart(w.deps, owner, { name: 'shop' });
    await w.drain();
    expect(await w.now()).toMatchObject({ desired: 'stopped' });
  });

  it('announces once, and stops nothing, when the response is notify', async () => {
    const w = await world({ when: [fixable], response: 'notify' });
    const lodashId = await w.pack();
    Object.assign(w.answer, { verdict: 'match', evidence: [lodash] });
    for (let n = 0; n < 2; n++) {
      await w.advisory([lodashId]);
      await w.drain();
    }
    const events = await logRead(w.database.read, { after: 0, limit: 100 });
    expect(events.filter(({ type }) => type === 'criteria.met')).toHaveLength(1);
    expect(await w.now()).toMatchObject({ desired: 'running' });
    expect(await revocationsOpen(w.database.read, w.deployment.uid)).toEqual([]);
  });

  it.each([
    ['its image is quarantined', { quarantined: true }, 'quarantine'],
    ['its grant is revoked', { grantRevoked: true }, 'grant'],
    ['a moment has come', { until: '2026-01-01T01:00:00Z' }, 'time'],
    ['it has run for so long', { after: '1h' }, 'time'],
  ])('ends a deployment when %s', async (_, event, what) => {
    const w = await world(stop(event));
    await w.run(w.clock.wallMs());
    await w.drain();
    expect(await w.now()).toMatchObject({ desired: 'running' });
    if (what === 'quarantine') await seedQuarantine(w.database, w.image.layer);
    if (what === 'grant') await w.database.transact((tx) => grantRevoke(tx, terms, 'jo'));
    if (what === 'time') w.clock.advance(3_600_000);
    await w.drain();
    expect(await w.now()).toMatchObject({ desired: 'stopped' });
  });

  it('tries a deployment that could not be asked again, and goes on with the log meanwhile', async () => {
    const w = await world(stop(fixable));
    Object.assign(w.answer, { verdict: 'match', evidence: [lodash] });
    w.answer.error = new LazaretError('unavailable', 'the search worker died');
    await w.advisory([await w.pack()]);
    await w.drain();
    expect(await w.now()).toMatchObject({ desired: 'running' });
    delete w.answer.error;
    w.clock.advance(1_000);
    await w.drain();
    expect(await w.now()).toMatchObject({ desired: 'stopped' });
    expect(await w.database.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
  });
});

/** Its container runs on host-1. */
function runContainer(database: Database, deployment: Deployment, startedAt: number) {
  const { uid: deploymentUid, region, instance, account, manifestDigest } = deployment;
  const place = { deploymentUid, region, instance, account, manifestDigest };
  const ended = { message: null, exitCode: null, stoppedAt: null };
  const container = {
    uid: 'c1',
    ...place,
    ...ended,
    state: 'running' as const,
    startedAt,
    reportedAt: startedAt,
  };
  return database.transact((tx) => containerSet(tx, container, 'instance/host-1'));
}

function importAdvisory(database: Database, packageIds: readonly number[]): Promise<void> {
  return database.transact(async (tx) => {
    const data = { packageIds, packagesAffected: packageIds.length };
    tx.emit({ type: 'advisory.imported', lane: 'local', subject: 'osv', actor: 'jo', data });
  });
}

/** The image shows lodash. @returns the package's id */
function packLodash(database: Database, image: SeededImage): Promise<number> {
  return database.transact(async (tx) => {
    const { db } = tx;
    const named = { purl: lodash.purl ?? '', purl_type: 'npm', ecosystem: 'npm', name: 'lodash' };
    const { id } = await db
      .insertInto('packages')
      .values({ ...named, version: '4.17.20', first_seen_at: 0 })
      .returning('id')
      .executeTakeFirstOrThrow();
    const pathId = (await pathsEnsure(tx, ['a'])).get('a') ?? 0;
    const blob = await db
      .selectFrom('blobs')
      .select('id')
      .where('digest', '=', image.layer)
      .executeTakeFirstOrThrow();
    await db
      .insertInto('image_packages')
      .values({ manifest_id: image.manifestId, package_id: id, blob_id: blob.id, path_id: pathId })
      .execute();
    return id;
  });
}
