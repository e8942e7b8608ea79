import { expect, test } from 'vitest';
import { type Catalog, openCatalog, someone } from '../../../test/support/catalog.ts';
import { describeEngines, type EngineWorld } from '../../../test/support/engines.ts';
import { buildImage, buildLayer, content, type Image } from '../../../test/support/oci-layout.ts';
import type { Extractor } from '../../layers/extractor.ts';
import { extractors } from '../../layers/extractors/list.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { parseDigest } from '../../oci/digest.ts';
import { mediaTypes } from '../../oci/media-types.ts';
import { parseRepositoryName } from '../../oci/reference.ts';
import { manifestBody } from '../../records/catalog/manifests.ts';
import { referrerRows } from '../../records/catalog/referrers.ts';
import { type SbomRule, sbomRuleAdd, sbomRuleRemove } from '../../records/catalog/sbom-rules.ts';
import { logRead } from '../../records/log/log.ts';
import { inspectTask } from '../inspect/inspect-task.ts';
import { createInProcessInspector } from '../inspect/inspector.ts';
import { reinspectTask } from '../inspect/reinspect.ts';
import { manifestDelete } from '../push/delete.ts';
import { manifestPut } from '../push/manifest-put.ts';
import { uploadMonolithic } from '../push/upload-finish.ts';
import type { SbomPush } from './attach-sbom.ts';
import { attachTask } from './attach-task.ts';

/** It finds what npm's finds, under another name. */
const newer: readonly Extractor[] = extractors.map((extractor) =>
  extractor.name === 'npm'
    ? {
        ...extractor,
        version: extractor.version + 1,
        complete: (found) => ({ ...found, name: `${found.name}-again`, purl: `${found.purl}-again` }),
      }
    : extractor,
);

async function imageOf(name: string): Promise<Image> {
  const path = `node_modules/${name}/package.json`;
  const layer = await buildLayer([{ path, content: JSON.stringify({ name, version: '1.0.0' }) }]);
  return buildImage({ layers: [layer] });
}

async function openWorld(engines: EngineWorld) {
  const catalog = await openCatalog(engines);
  const { database } = catalog;
  const faults: { beforeManifest?: () => Promise<void> } = {};
  const push: SbomPush = {
    blob: (blob) => uploadMonolithic(catalog, blob),
    manifest: async (manifest) => {
      await faults.beforeManifest?.();
      await manifestPut(catalog, manifest);
    },
  };
  const tasks = (list: readonly Extractor[]) => {
    const inspector = createInProcessInspector({
      store: catalog.blobs,
      extractors: list,
      clock: catalog.clock,
    });
    const deps = { ...catalog, inspector, workers: 1, region: 'home', push };
    return [reinspectTask(deps), inspectTask(deps), attachTask(deps)];
  };
  let running = tasks(extractors);
  const rule = (repositoryGlob: string, ...formats: SbomRule['formats']) =>
    database.transact((tx) => sbomRuleAdd(tx, { account: 'acme', repositoryGlob, formats, author: someone }));
  return {
    ...catalog,
    faults,
    rule,
    endRule: (name: string) => database.transact((tx) => sbomRuleRemove(tx, { name, actor: someone })),
    restart: (list: readonly Extractor[]) => {
      running = tasks(list);
    },
    /** What is in the artefacts beside an image. */
    documents: async (image: Image): Promise<string[]> => {
      const texts: string[] = [];
      for (const { digest } of await beside(catalog, image)) {
        const row = await database.read
          .selectFrom('edges')
          .innerJoin('manifests', 'manifests.id', 'edges.manifest_id')
          .innerJoin('blobs', 'blobs.digest', 'edges.digest')
          .select('blobs.storage_key')
          .where('manifests.digest', '=', digest)
          .where('edges.kind', '=', 'layer')
          .executeTakeFirstOrThrow();
        const { stream } = await catalog.blobs.read(row.storage_key ?? '');
        texts.push((await collect(stream, 1_000_000)).toString());
      }
      return texts;
    },
    drain: async () => {
      const { signal } = new AbortController();
      for (let round = 0, worked = true; worked && round < 100; round++) {
        worked = false;
        for (const task of running) worked = (await task.run(signal)) === 'worked' || worked;
      }
    },
  };
}

function beside(catalog: Catalog, { manifest }: Image, repository = 'acme/shop') {
  const ask = { repository, subject: manifest.digest, after: '', limit: 100 };
  return referrerRows(catalog.database, ask);
}

const typesOf = (rows: readonly { artifactType: string | null }[]) =>
  rows.map((row) => row.artifactType).sort();
const both = ['application/spdx+json', 'application/vnd.cyclonedx+json'];

describeEngines('bills of materials beside images', (engines) => {
  test('are kept in the formats that the rules over the repository ask for, also of images from before', async () => {
    const world = await openWorld(engines);
    const before = await imageOf('before');
    await world.pushImage(before, 'v1');
    await world.drain();
    expect(await beside(world, before)).toEqual([]);
    await world.rule('acme/*', 'cyclonedx');
    await world.drain();
    expect(typesOf(await beside(world, before))).toEqual(['application/vnd.cyclonedx+json']);
    const rule = await world.rule('acme/shop', 'spdx');
    const after = await imageOf('after');
    await world.pushImage(after, 'v2');
    await world.pushImage(after, 'v2', parseRepositoryName('acme/other'));
    await world.pushImage(after, 'v2', parseRepositoryName('globex/app'));
    await world.drain();
    for (const image of [before, after]) expect(typesOf(await beside(world, image))).toEqual(both);
    expect(typesOf(await beside(world, after, 'acme/other'))).toEqual(['application/vnd.cyclonedx+json']);
    expect(await beside(world, after, 'globex/app')).toEqual([]);
    await world.endRule(rule.name);
    await world.pushImage(before, 'again');
    await world.drain();
    expect(typesOf(await beside(world, before))).toEqual(both);
    expect(await world.database.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
  });

  test('are artefacts of the image with one layer, the document, and no artefact has one', async () => {
    const world = await openWorld(engines);
    await world.rule('**', 'cyclonedx');
    const image = await imageOf('lodash');
    await world.pushImage(image, 'v1');
    await world.drain();
    const [row] = await beside(world, image);
    expect(row).toMatchObject({
      mediaType: mediaTypes.ociManifest,
      annotations: {
        'org.opencontainers.image.created': '1970-01-01T00:00:00Z',
        'org.opencontainers.image.title': 'sbom.cdx.json',
      },
    });
    const { id } = await world.database.read
      .selectFrom('manifests')
      .select('id')
      .where('digest', '=', row?.digest ?? '')
      .executeTakeFirstOrThrow();
    const body = JSON.parse(Buffer.from((await manifestBody(world.database.read, id)) ?? '').toString());
    expect(body.subject).toEqual({
      mediaType: image.manifest.mediaType,
      digest: image.manifest.digest,
      size: image.manifest.size,
    });
    expect(body.config).toMatchObject({ mediaType: mediaTypes.ociEmpty, size: 2 });
    expect(body.layers).toMatchObject([{ mediaType: 'application/vnd.cyclonedx+json' }]);
    const onIt = { repository: 'acme/shop', subject: parseDigest(row?.digest ?? ''), after: '', limit: 9 };
    expect(await referrerRows(world.database, onIt)).toEqual([]);
  });

  test('are the same for the same inventory, and replaced when it is another; what others pushed stays', async () => {
    const world = await openWorld(engines);
    await world.rule('acme/shop', 'cyclonedx', 'spdx');
    const image = await imageOf('lodash');
    await world.pushImage(image, 'v1');
    await world.drain();
    const first = await beside(world, image);
    await world.pushImage(image, 'v2');
    await world.drain();
    expect(await beside(world, image)).toEqual(first);
    const pushes = (await world.eventTypes()).filter((type) => type === 'manifest.pushed');
    expect(pushes).toHaveLength(2 + first.length);
    const theirs = await pushedByHand(world, image);
    const kept = first.find((row) => row.artifactType === 'application/spdx+json')?.digest ?? '';
    await retag(world, kept, 'mine');

    world.restart(newer);
    await world.drain();
    const second = (await beside(world, image)).map((row) => row.digest);
    expect(second).toHaveLength(4);
    expect(second).toEqual(expect.arrayContaining([theirs, kept]));
    const cyclonedx = first.find((row) => row.digest !== kept)?.digest;
    expect(second).not.toContain(cyclonedx);
    world.restart(newer);
    await world.drain();
    expect((await beside(world, image)).map((row) => row.digest)).toEqual(second);
  });

  test('are made at the home of the repository only', async () => {
    const world = await openWorld(engines);
    const image = await imageOf('lodash');
    await world.pushImage(image, 'v1');
    await world.database.transact((tx) =>
      tx.db.updateTable('repositories').set({ home_region: 'away' }).execute(),
    );
    await world.rule('acme/shop', 'cyclonedx');
    await world.drain();
    expect((await world.eventTypes()).slice(-2)).toEqual(['layer.inspected', 'image.inspected']);
  });

  test('go with their image, and come back with it as they were', async () => {
    const world = await openWorld(engines);
    await world.rule('acme/shop', 'cyclonedx');
    const image = await imageOf('lodash');
    await world.pushImage(image, 'v1');
    await world.drain();
    const before = await beside(world, image);
    await manifestDelete(world, {
      repository: world.shop,
      principal: someone,
      digest: image.manifest.digest,
    });
    await world.drain();
    expect(await beside(world, image)).toEqual([]);
    await world.pushImage(image, 'v1');
    await world.drain();
    expect(await beside(world, image)).toEqual(before);
  });

  test('are not left behind when the image is deleted while they are pushed', async () => {
    const world = await openWorld(engines);
    await world.rule('acme/shop', 'cyclonedx');
    const image = await imageOf('lodash');
    await world.pushImage(image, 'v1');
    const digest = image.manifest.digest;
    world.faults.beforeManifest = () =>
      manifestDelete(world, { repository: world.shop, principal: someone, digest });
    await world.drain();
    expect(await beside(world, image)).toEqual([]);
    expect(await world.eventTypes()).toContain('manifest.deleted');
    expect(await world.database.read.selectFrom('jobs').selectAll().execute()).toEqual([]);
  });

  test('are made once more when the image is viewed anew while they are pushed', async () => {
    const world = await openWorld(engines);
    await world.rule('acme/shop', 'cyclonedx');
    const image = await imageOf('lodash');
    await world.pushImage(image, 'v1');
    world.faults.beforeManifest = async () => {
      delete world.faults.beforeManifest;
      world.clock.advance(1_000);
      world.restart(newer);
      await world.drain(); // as another process, which finds the job at work
    };
    await world.drain();
    const [document, another] = await world.documents(image);
    expect(document).toContain('pkg:npm/lodash@1.0.0-again');
    expect(another).toBeUndefined();
  });

  test('that can never be pushed end in the log, with the reason', async () => {
    const world = await openWorld(engines);
    await world.rule('acme/shop', 'cyclonedx');
    const image = await imageOf('lodash');
    await world.pushImage(image, 'v1');
    world.faults.beforeManifest = () =>
      Promise.reject(new LazaretError('quotaExceeded', 'the account is full'));
    for (let attempt = 0; attempt < limits.jobAttemptsMax; attempt++) {
      await world.drain();
      world.clock.advance(10 * 60_000);
    }
    const failed = (await logRead(world.database.read, { after: 0, limit: 500 })).filter(
      ({ type }) => type === 'sbom.failed',
    );
    expect(failed).toMatchObject([{ data: { repository: 'acme/shop', reason: 'the account is full' } }]);
    delete world.faults.beforeManifest;
    await world.pushImage(image, 'v2');
    await world.drain();
    expect(await beside(world, image)).toHaveLength(1);
  });
});

/** Somebody else's bill of materials of the image. @returns its digest */
async function pushedByHand(world: Catalog, { manifest }: Image): Promise<string> {
  const type = 'application/vnd.cyclonedx+json';
  const [config, layer] = [
    content(mediaTypes.ociEmpty, Buffer.from('{}')),
    content(type, Buffer.from('{"a":1}')),
  ];
  for (const blob of [config, layer]) await world.pushBlob(blob);
  const described = ({ mediaType, digest, size }: typeof layer) => ({ mediaType, digest, size });
  const artefact = content(
    mediaTypes.ociManifest,
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: mediaTypes.ociManifest,
        artifactType: type,
        config: described(config),
        layers: [described(layer)],
        subject: described({ ...layer, ...manifest }),
      }),
    ),
  );
  await world.put(artefact);
  return artefact.digest;
}

async function retag(world: Catalog, digest: string, tag: string): Promise<void> {
  const { body } = await world.database.read
    .selectFrom('manifests')
    .select('body')
    .where('digest', '=', digest)
    .executeTakeFirstOrThrow();
  await world.put(content(mediaTypes.ociManifest, Buffer.from(body)), { tag });
}
