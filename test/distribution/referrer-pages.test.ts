import { expect, it } from 'vitest';
import { referrerList } from '../../src/actions/pull/lists.ts';
import { limits } from '../../src/lib/limits.ts';
import { imageOf, openCatalog } from '../support/catalog.ts';
import { describeEngines } from '../support/engines.ts';
import { descriptor, jsonContent, mediaTypes } from '../support/oci-layout.ts';

describeEngines('a list of referrers', (world) => {
  it('ends a page before it is larger than a manifest may be, and goes on from there', async () => {
    const catalog = await openCatalog(world);
    const { manifest: subject } = await imageOf('subject');
    const size = Math.floor(limits.manifestBytesMax * 0.6);
    const digests: string[] = [];
    for (const text of ['a', 'b', 'c']) {
      const annotations = { text: text.repeat(size) };
      const members = { manifests: [], subject: descriptor(subject), annotations };
      const referrer = jsonContent(mediaTypes.index, {
        schemaVersion: 2,
        mediaType: mediaTypes.index,
        ...members,
      });
      await catalog.put(referrer);
      digests.push(referrer.digest);
    }
    const seen: string[] = [];
    let last: string | undefined;
    do {
      const ask = {
        repository: catalog.shop,
        digest: subject.digest,
        ...(last === undefined ? {} : { last }),
      };
      const page = await referrerList(catalog, ask);
      expect(page.items).toHaveLength(1);
      seen.push(...page.items.map((each) => each.digest));
      last = page.last;
    } while (last !== undefined);
    expect(seen).toEqual([...digests].sort());
  });
});
