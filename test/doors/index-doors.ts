/** An index of which one platform is reached: it is served with a warning, and that platform is not. */
import { describe, expect, it } from 'vitest';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { http } from '../support/http.ts';
import { type Content, content, descriptor } from '../support/oci-layout.ts';
import { expectBytes, expectCell, slug } from './answers.ts';
import { artefactOf, configOf, imageOf, indexOf } from './content.ts';
import { type Arrangement, type DoorWorld, regionNames } from './world.ts';

const shop = 'acme/shop';
const manifests = `/v2/${shop}/manifests`;

interface Platforms {
  readonly name: string;
  readonly mediaType: string;
  /** Whether the platforms are in an index inside the index. */
  readonly inner: boolean;
  /** What carries the mark. */
  readonly marked: 'layer' | 'manifest';
}

const tables: readonly Platforms[] = [
  { name: 'an OCI index, layer marked', mediaType: mediaTypes.ociIndex, inner: false, marked: 'layer' },
  { name: 'an OCI index, manifest marked', mediaType: mediaTypes.ociIndex, inner: false, marked: 'manifest' },
  { name: 'a Docker list, layer marked', mediaType: mediaTypes.dockerIndex, inner: false, marked: 'layer' },
  {
    name: 'an index of an index, layer marked',
    mediaType: mediaTypes.ociIndex,
    inner: true,
    marked: 'layer',
  },
];

export function indexDoors(arranged: Arrangement, world: () => DoorWorld): void {
  for (const table of tables) platformDoors(arranged, world, table);
  attestationDoors(arranged, world);
}

function platformDoors(arranged: Arrangement, world: () => DoorWorld, table: Platforms): void {
  const tag = slug(table.name);
  const docker = table.mediaType === mediaTypes.dockerIndex;
  const [bad, good] = [imageFor('amd64', tag, docker), imageFor('arm64', tag, docker)];
  const platforms = indexOf(table.mediaType, [bad.entry, good.entry]);
  const top = table.inner ? indexOf(mediaTypes.ociIndex, [descriptor(platforms)]) : platforms;
  arranged.push(shop, [...bad.contents, ...good.contents, ...(table.inner ? [platforms] : []), top], tag);
  arranged.mark(bad[table.marked]);
  const warning = `299 - "quarantined and not served: ${bad.manifest.digest}"`;

  describe(table.name, () => {
    for (const region of regionNames) {
      for (const reference of [tag, top.digest, ...(table.inner ? [platforms.digest] : [])])
        for (const method of ['GET', 'HEAD'])
          it(`${method} of ${reference === tag ? 'its tag' : 'its digest'} at ${region}: 200, and a warning names the platform`, async () => {
            const answer = await http(world()[region].reader, `${method} ${manifests}/${reference}`);
            expect([answer.status, answer.headers.get('warning')]).toEqual([200, warning]);
          });
      it(`GET of the platforms at ${region}: the one 403, the other 200`, async () => {
        const { reader } = world()[region];
        await expectCell(await http(reader, `GET ${manifests}/${bad.manifest.digest}`), '403 DENIED');
        await expectBytes(await http(reader, `GET ${manifests}/${good.manifest.digest}`), good.manifest);
      });
    }

    it('PUT of it again, or of a new index with the platform: 403; of one without: 201', async () => {
      const put = (one: Content, name: string) =>
        http(world().home.maintainer, `PUT ${manifests}/${name}-${tag}`, {
          body: one.bytes,
          headers: { 'content-type': one.mediaType },
        });
      await expectCell(await put(top, 'again'), '403 DENIED');
      await expectCell(await put(indexOf(table.mediaType, [bad.entry]), 'bad'), '403 DENIED');
      await expectCell(await put(indexOf(table.mediaType, [good.entry]), 'good'), 201);
    });

    it('DELETE of the platform that is served: 405, of the other one: 202', async () => {
      const { maintainer } = world().home;
      const kept = await http(maintainer, `DELETE ${manifests}/${good.manifest.digest}`);
      expect(kept.status).toBe(405);
      const body: { errors: { detail: { referencedBy: string[] } }[] } = JSON.parse(await kept.text());
      expect(body.errors[0]?.detail.referencedBy).toContain(platforms.digest);
      expect((await http(maintainer, `DELETE ${manifests}/${bad.manifest.digest}`)).status).toBe(202);
    });
  });
}

function attestationDoors(arranged: Arrangement, world: () => DoorWorld): void {
  const image = imageFor('amd64', 'attested', false);
  const attestation = artefactOf('attests');
  const none = { architecture: 'unknown', os: 'unknown' };
  const top = indexOf(mediaTypes.ociIndex, [
    image.entry,
    { ...descriptor(attestation.manifest), platform: none },
  ]);
  const beside = [attestation.config, attestation.layer, attestation.manifest];
  arranged.push(shop, [...image.contents, ...beside, top], 'attested');
  arranged.mark(attestation.layer);

  it('an index of which the attestation is reached is served, with a warning', async () => {
    for (const region of regionNames) {
      const { reader } = world()[region];
      const answer = await http(reader, `GET ${manifests}/attested`);
      const warning = `299 - "quarantined and not served: ${attestation.manifest.digest}"`;
      expect([answer.status, answer.headers.get('warning')]).toEqual([200, warning]);
      await expectCell(await http(reader, `GET ${manifests}/${attestation.manifest.digest}`), '403 DENIED');
    }
  });
}

function imageFor(architecture: string, seed: string, docker: boolean) {
  const text = `${seed} for ${architecture}`;
  const config = configOf(text, docker ? mediaTypes.dockerConfig : mediaTypes.ociConfig);
  const layer = content(docker ? mediaTypes.dockerLayerGzip : mediaTypes.ociLayerGzip, Buffer.from(text));
  const mediaType = docker ? mediaTypes.dockerManifest : mediaTypes.ociManifest;
  const manifest = imageOf({ mediaType, config, layers: [layer] });
  const entry = { ...descriptor(manifest), platform: { architecture, os: 'linux' } };
  return { config, layer, manifest, entry, contents: [config, layer, manifest] };
}
