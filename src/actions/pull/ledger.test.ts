import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { ManualClock } from '../../lib/clock.ts';
import { refusalCount } from '../../records/access/ledger.ts';
import { ledgerTask, PullLedger } from './ledger.ts';

describeEngines('the ledger', (world) => {
  it('folds what happens within a minute, over several writes', async () => {
    const clock = new ManualClock();
    const database = await world.open({ clock });
    const ledger = new PullLedger(clock);
    const task = ledgerTask({ database, ledger, logger: { warn: () => undefined } });
    const refusal = {
      principal: 'jo',
      repository: 'acme/shop',
      digest: 'sha256:1',
      verdict: 'refused',
    } as const;
    ledger.note(refusal);
    ledger.note(refusal);
    expect(await task.run(new AbortController().signal)).toBe('worked');
    ledger.note(refusal);
    ledger.note({ ...refusal, verdict: 'served' });
    await task.run(new AbortController().signal);
    expect(await task.run(new AbortController().signal)).toBe('idle');
    const rows = await database.read
      .selectFrom('ledger')
      .select(['verdict', 'count'])
      .orderBy('verdict')
      .execute();
    expect(rows).toEqual([
      { verdict: 'refused', count: 3 },
      { verdict: 'served', count: 1 },
    ]);
    expect(await refusalCount(database.read, ['sha256:1'])).toBe(3);
    expect(await refusalCount(database.read, ['sha256:2'])).toBe(0);
  });
});
