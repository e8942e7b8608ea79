import { expect, it } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { somebodyWaits } from '../../../test/support/waiting.ts';
import { digestOf } from '../../oci/digest.ts';
import { locked } from '../db/engine.ts';
import { blobKeep } from './blobs.ts';

describeEngines('the row of a blob', (world) => {
  it('is made anew by a push when the sweep takes it away between seeing and locking it', async () => {
    const database = await world.open();
    const sha256 = digestOf('pushed again');
    const stored = { sha256, sha512: undefined, sizeBytes: 12 };
    await database.transact((tx) => blobKeep(tx, { ...stored, storageKey: 'old' }));
    const isLocked = Promise.withResolvers<void>();
    const sweep = database.transact(async (tx) => {
      const row = tx.db.selectFrom('blobs').select('id').where('digest', '=', sha256);
      await locked(tx.engine, row).execute();
      isLocked.resolve();
      await somebodyWaits(database);
      await tx.db.deleteFrom('blobs').where('digest', '=', sha256).execute();
    });
    await isLocked.promise;
    const push = database.transact((tx) => blobKeep(tx, { ...stored, storageKey: 'new' }));
    await sweep;
    expect(await push).toMatchObject({ outcome: 'fresh', blob: { storage_key: 'new', state: 'live' } });
  });
});
