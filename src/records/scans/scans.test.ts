import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { scanKeep } from './scans.ts';

describeEngines('the names of scans', (world) => {
  it('are never the same, however many are answered at once', async () => {
    const database = await world.open();
    const scan = { criteria: {}, scope: {}, requestedBy: 'jo', position: 0, answer: '{}' };
    const kept = Array.from({ length: 20 }, () => database.transact((tx) => scanKeep(tx, scan)));
    expect(new Set(await Promise.all(kept)).size).toBe(20);
  });
});
