/** An open manifest that is remembered is refused, or another one, from the acknowledgement of what changed it on. */
import { expect, it } from 'vitest';
import { type Catalog, indexOf, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { buildImage, buildLayer, type Image } from '../../../test/support/oci-layout.ts';
import { AnswersAtHead } from '../../records/log/answers-at-head.ts';
import { manifestDelete, tagDelete } from '../push/delete.ts';
import { manifestGet, manifestHead, type OpenManifest } from './manifest-get.ts';

async function image(content: string): Promise<Image> {
  return buildImage({ layers: [await buildLayer([{ path: 'app/a', content }])] });
}

async function open(world: EngineWorld) {
  const catalog = await openCatalog(world);
  // Two servers of one region, each with a memory of its own.
  const servers = [0, 1].map(() => ({
    ...catalog,
    openManifests: new AnswersAtHead<OpenManifest>({ entries: 9 }),
  }));
  const repository = catalog.shop;
  type Reference = Parameters<typeof manifestGet>[1]['reference'];
  /** Twice each, so that the second is given from memory. */
  const get = async (reference: Reference) => {
    const answers: OpenManifest[] = [];
    for (const server of [...servers, ...servers])
      answers.push(await manifestGet(server, { repository, reference }));
    return answers;
  };
  const refused = async (reference: Reference, code: string) => {
    for (const server of servers) {
      await expect(manifestGet(server, { repository, reference })).rejects.toMatchObject({ code });
      const head = manifestHead(server, { repository, reference, mayPush: true });
      await expect(head).rejects.toMatchObject({ code: 'tag' in reference ? 'manifestUnknown' : code });
    }
  };
  const digests = async (reference: Reference) => new Set((await get(reference)).map(({ digest }) => digest));
  return { catalog, servers, repository, get, refused, digests };
}

const byTag = { tag: 'v1' };

describeEngines('an open manifest that is remembered', (world) => {
  it('is given without asking the rows again, with what it is known by', async () => {
    const { catalog, servers, get, repository } = await open(world);
    const pushed = await image('one');
    await catalog.pushImage(pushed, 'v1');
    const [first, , again] = await get(byTag);
    expect(again).toBe(first);
    expect(Buffer.from(first?.body ?? []).equals(pushed.manifest.bytes)).toBe(true);
    const [server] = servers;
    if (!server) throw new Error('there are two');
    expect(await manifestHead(server, { repository, reference: byTag, mayPush: true })).toMatchObject({
      digest: pushed.manifest.digest,
      sizeBytes: pushed.manifest.size,
      reached: false,
    });
  });

  const marks: Record<string, (image: Image) => Parameters<Catalog['quarantine']>[0]> = {
    'its layer': ({ layers }) => ({ layer: { digest: layers[0]?.digest } }),
    'another compression of its layer': ({ layers }) => ({
      layer: { diffId: layers[0]?.diffId ?? 'sha256:' },
    }),
    'the manifest itself': ({ manifest }) => ({ manifest: manifest.digest, account: 'acme' }),
  };
  for (const [what, markOf] of Object.entries(marks))
    it(`is refused once ${what} is marked, and given again after the release`, async () => {
      const { catalog, get, refused } = await open(world);
      const pushed = await image(what);
      await catalog.pushImage(pushed, 'v1');
      const byDigest = { digest: pushed.manifest.digest };
      for (const reference of [byTag, byDigest]) await get(reference);
      const release = await catalog.quarantine(markOf(pushed));
      for (const reference of [byTag, byDigest]) await refused(reference, 'quarantined');
      await release();
      for (const reference of [byTag, byDigest]) await get(reference);
    });

  it('warns of a child from its mark on, and is refused when none is left', async () => {
    const { catalog, get, refused } = await open(world);
    const children = [await image('amd64'), await image('arm64')] as const;
    for (const child of children) await catalog.pushImage(child);
    const index = indexOf(...children.map(({ manifest }) => manifest));
    await catalog.put(index, byTag);
    expect((await get(byTag)).flatMap(({ warnings }) => warnings)).toEqual([]);
    const release = await catalog.quarantine({ manifest: children[0].manifest.digest });
    for (const { warnings } of await get(byTag))
      expect(warnings).toEqual([expect.stringContaining(children[0].manifest.digest)]);
    await catalog.quarantine({ manifest: children[1].manifest.digest });
    await refused(byTag, 'quarantined');
    await release();
    await get(byTag);
  });

  it('is another one once its tag was moved, and gone once tag or manifest were deleted', async () => {
    const { catalog, repository, digests, refused } = await open(world);
    const [one, two] = [await image('one'), await image('two')];
    const principal = someone;
    await catalog.pushImage(one, 'v1');
    expect(await digests(byTag)).toEqual(new Set([one.manifest.digest]));
    await catalog.pushImage(two, 'v1');
    expect(await digests(byTag)).toEqual(new Set([two.manifest.digest]));
    await tagDelete(catalog, { repository, principal, tag: 'v1' });
    await refused(byTag, 'manifestUnknown');
    const byDigest = { digest: two.manifest.digest };
    await digests(byDigest);
    await manifestDelete(catalog, { repository, principal, digest: two.manifest.digest });
    await refused(byDigest, 'manifestUnknown');
  });

  it('is refused to a request that began after the mark, whatever head another one had read before', async () => {
    const { catalog, servers, repository } = await open(world);
    const pushed = await image('slow');
    await catalog.pushImage(pushed, 'v1');
    const head = await catalog.database.logHead();
    await catalog.quarantine({ manifest: pushed.manifest.digest });
    for (const server of servers) {
      // It read the head, then was slow: it finds the mark in the rows, and leaves nothing behind that others get.
      const slow = manifestGet(server, { repository, reference: byTag, head });
      await expect(slow).rejects.toMatchObject({ code: 'quarantined' });
      await expect(manifestGet(server, { repository, reference: byTag })).rejects.toMatchObject({
        code: 'quarantined',
      });
    }
  });
});
