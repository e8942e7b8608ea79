import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { ManualClock } from '../../lib/clock.ts';
import { jobClaim, jobEnqueue, jobFail, jobFinish } from '../jobs/jobs.ts';
import { logHead, logRead } from '../log/log.ts';

describeEngines('the database', (world) => {
  it('appends the events of a transaction in order, with their ids', async () => {
    const database = await world.open({ region: 'eu' });
    await database.transact(async (tx) => {
      tx.emit({ type: 'tag.set', lane: 'content', subject: 'a', actor: 'jo', data: { n: 1 } });
      tx.emit({ type: 'tag.set', lane: 'content', subject: 'b', actor: 'jo', data: { n: 2 } });
    });
    const events = await logRead(database.read, { after: 0, limit: 10 });
    expect(events.map((event) => [event.position, event.subject, event.data])).toEqual([
      [1, 'a', { n: 1 }],
      [2, 'b', { n: 2 }],
    ]);
    expect(events[1]?.id).toMatch(/^eu\/[a-f0-9]{8}\/2$/);
  });

  it('keeps nothing of a transaction that fails', async () => {
    const database = await world.open();
    const failing = database.transact(async (tx) => {
      tx.emit({ type: 'tag.set', lane: 'content', subject: 'a', actor: 'jo', data: {} });
      await tx.db.insertInto('accounts').values({ name: 'acme', created_at: tx.nowMs }).execute();
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await logHead(database.read)).toBe(0);
    expect(await database.read.selectFrom('accounts').selectAll().execute()).toEqual([]);
  });

  it('gives concurrent appends positions without a gap', async () => {
    const database = await world.open();
    const append = (subject: string) =>
      database.transact(async (tx) => tx.emit({ type: 't.t', lane: 'local', subject, actor: 'a', data: {} }));
    await Promise.all(Array.from({ length: 20 }, (_, n) => append(`s${n}`)));
    const events = await logRead(database.read, { after: 0, limit: 100 });
    expect(events.map((event) => event.position)).toEqual(Array.from({ length: 20 }, (_, n) => n + 1));
  });

  it('keeps what others do at the same time as one that fails, and tells each its own', async () => {
    const database = await world.open();
    const account = (name: string) =>
      database.transact(async (tx) => {
        await tx.db.insertInto('accounts').values({ name, created_at: tx.nowMs }).execute();
        tx.emit({ type: 't.t', lane: 'local', subject: name, actor: 'a', data: {} });
        if (name === 'refused') throw new Error('no');
        return name;
      });
    const told = await Promise.allSettled(['a', 'refused', 'b', 'a', 'c'].map(account));
    const ok = told.map((each) => (each.status === 'fulfilled' ? each.value : 'failed'));
    expect(ok.filter((each) => each !== 'failed').sort()).toEqual(['a', 'b', 'c']);
    expect(ok[1]).toBe('failed');
    const rows = await database.read.selectFrom('accounts').select('name').orderBy('name').execute();
    expect(rows.map((row) => row.name)).toEqual(['a', 'b', 'c']);
    const events = await logRead(database.read, { after: 0, limit: 10 });
    expect(events.map((event) => event.position)).toEqual([1, 2, 3]);
    expect(events.map((event) => event.subject).sort()).toEqual(['a', 'b', 'c']);
  });

  it('shows what may be lost to who reads next, and takes no event of it', async () => {
    const database = await world.open();
    const account = (name: string) => ({ name, created_at: 5 });
    await database.transact(
      async (tx) => void (await tx.db.insertInto('accounts').values(account('acme')).execute()),
      { mayBeLost: true },
    );
    const names = () => database.read.selectFrom('accounts').select('name').execute();
    expect(await names()).toEqual([{ name: 'acme' }]);
    const emitting = database.transact(
      async (tx) => {
        await tx.db.insertInto('accounts').values(account('other')).execute();
        tx.emit({ type: 'tag.set', lane: 'content', subject: 'a', actor: 'test', data: {} });
      },
      { mayBeLost: true },
    );
    await expect(emitting).rejects.toThrow('the log is never lost');
    expect(await names()).toEqual([{ name: 'acme' }]);
  });

  it('shows what is seen early to who reads next, and appends its events all the same', async () => {
    const database = await world.open();
    const account = (name: string, event?: string) =>
      database.transact(
        async (tx) => {
          await tx.db.insertInto('accounts').values({ name, created_at: 5 }).execute();
          if (event !== undefined)
            tx.emit({ type: 't.t', lane: 'local', subject: event, actor: 'a', data: {} });
        },
        { seenEarly: true },
      );
    await Promise.all([account('a'), account('b', 'said'), account('c')]);
    await database.onDisk();
    const rows = await database.read.selectFrom('accounts').select('name').orderBy('name').execute();
    expect(rows.map((row) => row.name)).toEqual(['a', 'b', 'c']);
    const events = await logRead(database.read, { after: 0, limit: 10 });
    expect(events.map((event) => event.subject)).toEqual(['said']);
  });

  it('searches with the rows of a compiled query', async () => {
    const database = await world.open();
    await database.transact(async (tx) => {
      await tx.db.insertInto('accounts').values({ name: 'acme', created_at: 5 }).execute();
    });
    const query = database.read
      .selectFrom('accounts')
      .select(['name', 'created_at'])
      .where('name', '=', 'acme')
      .compile();
    expect(await database.search(query)).toEqual([{ name: 'acme', created_at: 5 }]);
  });
});

describeEngines('jobs', (world) => {
  it('runs one job per kind and key, and again after a failure', async () => {
    const clock = new ManualClock();
    const database = await world.open({ clock });
    for (let n = 0; n < 2; n++)
      await database.transact((tx) => jobEnqueue(tx, { kind: 'copy', key: 'k', payload: { n: 7 } }));
    const first = await jobClaim({ database, clock }, { kind: 'copy' }, 'w1');
    expect(first).toMatchObject({ key: 'k', payload: { n: 7 }, attempts: 1 });
    expect(await jobClaim({ database, clock }, { kind: 'copy' }, 'w2')).toBeUndefined();
    if (!first) throw new Error('not claimed');
    expect(await database.transact((tx) => jobFail(tx, first, 'broken'))).toBe('again');
    expect(await jobClaim({ database, clock }, { kind: 'copy' }, 'w2')).toBeUndefined();
    await database.transact((tx) => jobFinish(tx, first));
    expect(await database.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
  });

  it('waits for no time that was written before the clock was set back', async () => {
    const clock = new ManualClock();
    const database = await world.open({ clock });
    const enqueue = (key: string) =>
      database.transact((tx) => jobEnqueue(tx, { kind: 'copy', key, payload: {} }));
    clock.pauseMachine(3 * 3_600_000);
    await enqueue('of a worker that died');
    expect(await jobClaim({ database, clock }, { kind: 'copy' }, 'w1')).toMatchObject({ attempts: 1 });
    await enqueue('not begun');
    clock.pauseMachine(-3 * 3_600_000);
    const claimed = [
      await jobClaim({ database, clock }, { kind: 'copy' }, 'w2'),
      await jobClaim({ database, clock }, { kind: 'copy' }, 'w2'),
    ];
    expect(claimed.map((job) => job?.key).sort()).toEqual(['not begun', 'of a worker that died']);
    expect(await jobClaim({ database, clock }, { kind: 'copy' }, 'w3')).toBeUndefined();
  });
});
