import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { describeEngines } from '../../../test/support/engines.ts';
import { inventoryWorld } from '../../../test/support/inventory-world.ts';
import { buildLayer } from '../../../test/support/oci-layout.ts';
import { extractors } from '../../layers/extractors/list.ts';
import { fileList } from '../../records/inventory/file-list.ts';
import { imageMeets } from '../scan/image-meets.ts';

const sha256 = createHash('sha256').update('a program').digest('hex');

describeEngines('hard links', (engines) => {
  test('have the content of what they lead to, also where the image shows the link alone, and while the layer is read again', async () => {
    await using world = await inventoryWorld(engines);
    const base = await buildLayer([
      { path: 'usr/bin/perl', content: 'a program', mode: 0o755 },
      { path: 'usr/bin/perl5', hardLink: 'usr/bin/perl' },
      { path: 'usr/bin/perl5.36', hardLink: 'usr/bin/perl5' },
      { path: 'usr/bin/other', hardLink: 'usr/bin/nothing' },
    ]);
    const upper = await buildLayer([{ path: 'usr/bin/.wh.perl', content: '' }]);
    const manifestId = await world.push({ layers: [base, upper] });
    await world.drain();
    const { database } = world;
    const listed = async () => {
      const ask = { manifestId, place: 'image', path: 'usr/bin/*', limit: 10 } as const;
      return (await fileList(database, ask)).items.map((file) => [file.path, file.sizeBytes, file.sha256]);
    };
    const expected = [
      ['usr/bin/other', 0, null],
      ['usr/bin/perl5', 9, sha256],
      ['usr/bin/perl5.36', 9, sha256],
    ];
    expect(await listed()).toEqual(expected);
    expect(await imageMeets(database, manifestId, { file: { sha256, in: 'image' } })).toMatchObject({
      verdict: 'match',
      evidence: [{ path: 'usr/bin/perl5' }, { path: 'usr/bin/perl5.36' }],
    });

    world.restart(extractors.map((one) => ({ ...one, version: one.version + 1, wants: () => true })));
    world.inspector.failAfterParts = 1;
    await world.drain();
    expect(await listed()).toEqual(expected);
  });
});
