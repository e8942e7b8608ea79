import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { type House, openHouse } from '../../../test/support/house.ts';
import { buildImage, buildLayer } from '../../../test/support/oci-layout.ts';
import type { Container, Deployment } from '../../contract/fleet.ts';
import { containerSet } from '../../records/fleet/containers.ts';
import { deploymentSet } from '../../records/fleet/deployments.ts';
import { receiptOf } from './receipt.ts';

const lodash = {
  criteria: { package: { purl: 'pkg:npm/lodash', versions: '<4.17.21' } },
  scope: {},
} as const;

/** A quarantined image that runs with a lease of 30 s and a stop deadline of 5 s, last heard of now. */
async function openRunning(house: House, change: Partial<Deployment> = {}) {
  const layer = await buildLayer([{ path: 'app/lodash.js', content: 'old' }]);
  const shop = buildImage({ layers: [layer] });
  await house.push('acme/shop:1', shop);
  await house.inspected(shop, [{ packages: [{ name: 'lodash', version: '4.17.20' }] }]);
  const deployment: Omit<Deployment, 'version'> = {
    ...{ uid: 'd1', name: 'shop', account: 'globex', owner: 'acme', repository: 'acme/shop' },
    ...{ reference: 'acme/shop:1', manifestDigest: shop.manifest.digest, region: 'away', instance: 'host-1' },
    ...{ env: {}, eventCriteria: [], stopDeadlineMs: 5_000, leaseMs: 30_000, onLeaseEnd: 'stop' },
    ...{ desired: 'running', desiredReason: null, createdBy: 'jo', createdAt: 0 },
    ...change,
  };
  const set = (desired: Deployment['desired']) =>
    house.database.transact((tx) => deploymentSet(tx, { ...deployment, desired }, { actor: 'jo' }));
  const report = (state: Container['state'], stoppedAt: number | null = null) =>
    house.database.transact((tx) =>
      containerSet(
        tx,
        {
          ...{ uid: 'c1', deploymentUid: 'd1', region: 'away', instance: 'host-1', account: 'globex' },
          ...{ manifestDigest: shop.manifest.digest, state, message: null, exitCode: null },
          ...{ startedAt: 0, stoppedAt, reportedAt: tx.nowMs },
        },
        'instance/host-1',
      ),
    );
  await set('running');
  await report('running');
  const { name } = await house.quarantine(lodash);
  const startedAtMs = house.clock.wallMs();
  const outcome = async (since = startedAtMs) => {
    const [container] = (await receiptOf({ ...house, startedAtMs: since }, name)).containers;
    return [container?.outcome, container?.proof];
  };
  return { set, report, outcome };
}

describeEngines('a receipt', (world) => {
  it('calls a silent container unreachable until its lease must have ended, and then not proved', async () => {
    const house = await openHouse(world);
    const { set, outcome } = await openRunning(house);
    expect(await outcome()).toEqual(['running', false]);
    house.clock.advance(60_000);
    expect(await outcome()).toEqual(['unreachable', false]);
    await set('stopped');
    house.clock.advance(44_999);
    expect(await outcome()).toEqual(['unreachable', false]);
    house.clock.advance(1);
    expect(await outcome()).toEqual(['leaseEnded', false]);
  });

  it('counts what was granted before a restart as granted then', async () => {
    const house = await openHouse(world);
    const { set, outcome } = await openRunning(house);
    await set('stopped');
    house.clock.advance(45_000);
    expect(await outcome(house.clock.wallMs())).toEqual(['unreachable', false]);
    expect(await outcome()).toEqual(['leaseEnded', false]);
  });

  it('never says so of a container without a lease, or that is kept at its end', async () => {
    for (const change of [{ leaseMs: null }, { onLeaseEnd: 'keep' }] as const) {
      const house = await openHouse(world);
      const { set, outcome } = await openRunning(house, change);
      await set('stopped');
      house.clock.advance(1_000_000);
      expect(await outcome()).toEqual(['unreachable', false]);
    }
  });

  it('takes an exit that was seen for proof, whoever brought it about', async () => {
    const house = await openHouse(world);
    const { report, outcome } = await openRunning(house);
    await report('paused');
    expect(await outcome()).toEqual(['paused', false]);
    await report('leaseEnded');
    expect(await outcome()).toEqual(['leaseEnded', false]);
    await report('leaseEnded', 5);
    expect(await outcome()).toEqual(['leaseEnded', true]);
    await report('stopped', 5);
    expect(await outcome()).toEqual(['stopped', true]);
  });
});
