import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { eventCriteriaMediaType } from '../src/criteria/event-criteria.ts';
import {
  buildImage,
  buildLayer,
  type Content,
  compressLayer,
  content,
  descriptor,
  type Image,
  jsonContent,
  type Layer,
  type LayerOptions,
  mediaTypes,
} from '../test/support/oci-layout.ts';

/** The app, over a base and whatever else it needs. `name` is what it calls itself. */
export async function buildApp(name: string, below: readonly Layer[]): Promise<Image> {
  const app = await buildLayer([
    { path: 'app/package.json', content: await readFile(new URL('./app/package.json', import.meta.url)) },
    { path: 'app/server.js', content: await readFile(new URL('./app/server.js', import.meta.url)) },
    { path: 'app/NAME', content: `${name}\n` },
  ]);
  return buildImage({
    layers: [...below, app],
    config: {
      Cmd: ['/usr/local/bin/node', '/app/server.js'],
      Env: ['PATH=/usr/local/bin', `APP_NAME=${name}`],
      User: '1000:1000',
      WorkingDir: '/app',
    },
  });
}

/** An artifact that is about an image: what its owner attaches to it. */
export interface Attachment {
  readonly manifest: Content;
  readonly blobs: readonly Content[];
}

/** The event criteria in `demo/criteria/event-criteria.json`, as a referrer of `subject`. */
export async function buildEventCriteria(subject: Content): Promise<Attachment> {
  const document = content(eventCriteriaMediaType, await readFile(criteriaFile('event-criteria')));
  const config = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const manifest = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: eventCriteriaMediaType,
    config: descriptor(config),
    layers: [descriptor(document)],
    subject: descriptor(subject),
  });
  return { manifest, blobs: [config, document] };
}

/** The same files in other bytes. */
export async function recompress(layer: Layer, options: LayerOptions): Promise<Layer> {
  return compressLayer(await promisify(gunzip)(layer.bytes), options);
}

export function criteriaFile(name: 'event-criteria' | 'on-quarantine' | 'lodash'): URL {
  return new URL(`./criteria/${name}.json`, import.meta.url);
}
