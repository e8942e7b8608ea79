import { describe, expect, it } from 'vitest';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { digestOf } from './digest.ts';
import { manifestArtifactType, parseManifest } from './manifest.ts';
import { mediaTypes } from './media-types.ts';

const config = { mediaType: mediaTypes.ociConfig, digest: digestOf('config'), size: 6 };
const layer = { mediaType: mediaTypes.ociLayerGzip, digest: digestOf('layer'), size: 5 };
const image = { schemaVersion: 2, mediaType: mediaTypes.ociManifest, config, layers: [layer] };
const child = {
  mediaType: mediaTypes.ociManifest,
  digest: digestOf('child'),
  size: 5,
  platform: { architecture: 'arm64', os: 'linux', variant: 'v8' },
};
const index = { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [child] };
const docker = {
  schemaVersion: 2,
  mediaType: mediaTypes.dockerManifest,
  config: { ...config, mediaType: mediaTypes.dockerConfig },
  layers: [{ ...layer, mediaType: mediaTypes.dockerLayerGzip }],
};

const bytes = (document: unknown) => Buffer.from(JSON.stringify(document));

function problem(document: unknown, contentType?: string): LazaretError {
  try {
    parseManifest(document instanceof Uint8Array ? document : bytes(document), contentType);
  } catch (error) {
    if (error instanceof LazaretError) return error;
    throw error;
  }
  throw new Error('the manifest was accepted');
}

describe('parseManifest', () => {
  it('reads an image manifest', () => {
    expect(parseManifest(bytes(image), mediaTypes.ociManifest)).toEqual({
      kind: 'image',
      mediaType: mediaTypes.ociManifest,
      config: { ...config, annotations: {} },
      layers: [{ ...layer, annotations: {} }],
      annotations: {},
    });
  });

  it('reads an index with the platform of each child', () => {
    const parsed = parseManifest(bytes(index));
    expect(parsed).toMatchObject({
      kind: 'index',
      manifests: [{ digest: child.digest, platform: child.platform }],
    });
  });

  it('reads Docker schema 2 manifests and lists', () => {
    expect(parseManifest(bytes(docker), `${mediaTypes.dockerManifest}; charset=utf-8`).kind).toBe('image');
    expect(parseManifest(bytes({ ...index, mediaType: mediaTypes.dockerIndex })).kind).toBe('index');
  });

  it('reads an artifact with its subject, type and annotations', () => {
    const empty = { mediaType: mediaTypes.ociEmpty, digest: digestOf('{}'), size: 2, data: 'e30=' };
    const artifact = {
      ...image,
      config: empty,
      artifactType: 'application/vnd.example.note.v1+json',
      subject: child,
      annotations: { 'io.example/a': 'b' },
      somethingNew: [1],
    };
    const parsed = parseManifest(bytes(artifact));
    expect(parsed).toMatchObject({
      kind: 'image',
      subject: { digest: child.digest },
      annotations: { 'io.example/a': 'b' },
    });
    expect(manifestArtifactType(parsed)).toBe('application/vnd.example.note.v1+json');
  });

  it('takes the type of the config for the type of an artifact that names none', () => {
    expect(manifestArtifactType(parseManifest(bytes(image)))).toBe(mediaTypes.ociConfig);
    expect(manifestArtifactType(parseManifest(bytes(index)))).toBeUndefined();
  });

  it('decides by the Content-Type, else by the shape, when the content names no media type', () => {
    const { mediaType: _image, ...bareImage } = image;
    const { mediaType: _index, ...bareIndex } = index;
    expect(parseManifest(bytes(bareImage), mediaTypes.dockerManifest).mediaType).toBe(
      mediaTypes.dockerManifest,
    );
    expect(parseManifest(bytes(bareImage)).mediaType).toBe(mediaTypes.ociManifest);
    expect(parseManifest(bytes(bareIndex)).mediaType).toBe(mediaTypes.ociIndex);
  });

  it('takes null for an empty list or an absent field', () => {
    const nulls = { ...image, layers: null, annotations: null, subject: null, artifactType: '' };
    expect(parseManifest(bytes(nulls))).toMatchObject({ kind: 'image', layers: [], annotations: {} });
  });

  it.each([
    ['no JSON', Buffer.from('{"schemaVersion": 2,'), 'manifest'],
    ['no UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'manifest'],
    ['a list', [], 'manifest'],
    ['nothing to go by', { schemaVersion: 2 }, 'manifest'],
    ['no schemaVersion', { ...image, schemaVersion: undefined }, 'manifest.schemaVersion'],
    ['schemaVersion as text', { ...image, schemaVersion: '2' }, 'manifest.schemaVersion'],
    ['an unknown media type', { ...image, mediaType: 'application/json' }, 'manifest.mediaType'],
    ['a media type that is none', { ...image, mediaType: 'x' }, 'manifest.mediaType'],
    ['no config', { ...image, config: undefined }, 'manifest.config'],
    ['no layers', { ...image, layers: undefined }, 'manifest.layers'],
    ['layers as an object', { ...image, layers: {} }, 'manifest.layers'],
    [
      'a digest of another algorithm',
      { ...image, layers: [layer, { ...layer, digest: 'md5:00' }] },
      'manifest.layers[1].digest',
    ],
    [
      'a digest in upper case',
      { ...image, config: { ...config, digest: config.digest.toUpperCase() } },
      'manifest.config.digest',
    ],
    ['a negative size', { ...image, layers: [{ ...layer, size: -1 }] }, 'manifest.layers[0].size'],
    ['a size as text', { ...image, layers: [{ ...layer, size: '5' }] }, 'manifest.layers[0].size'],
    [
      'a layer without media type',
      { ...image, layers: [{ ...layer, mediaType: '' }] },
      'manifest.layers[0].mediaType',
    ],
    ['annotations to numbers', { ...image, annotations: { a: 1 } }, 'manifest.annotations.a'],
    ['a subject that is no descriptor', { ...image, subject: 'x' }, 'manifest.subject'],
    ['an image that is an index too', { ...image, manifests: [child] }, 'manifest.manifests'],
    ['an index that is an image too', { ...index, layers: [layer] }, 'manifest.layers'],
    [
      'a child with half a platform',
      { ...index, manifests: [{ ...child, platform: { os: 'linux' } }] },
      'manifest.manifests[0].platform.architecture',
    ],
    ['data that is no base64', { ...image, config: { ...config, data: '%' } }, 'manifest.config.data'],
    ['data of another size', { ...image, config: { ...config, data: 'e30=' } }, 'manifest.config.data'],
    [
      'data of another digest',
      { ...image, config: { ...config, size: 2, data: 'e30=' } },
      'manifest.config.data',
    ],
    [
      'too many layers',
      { ...image, layers: Array(limits.manifestLayersMax + 1).fill(layer) },
      'manifest.layers',
    ],
    [
      'too many children',
      { ...index, manifests: Array(limits.indexChildrenMax + 1).fill(child) },
      'manifest.manifests',
    ],
  ])('refuses %s, naming the path', (_, document, path) => {
    const error = problem(document);
    expect([error.code, error.detail?.path]).toEqual(['manifestInvalid', path]);
  });

  it('refuses content that disagrees with the Content-Type', () => {
    const error = problem(image, mediaTypes.ociIndex);
    expect(error).toMatchObject({ code: 'manifestInvalid', detail: { path: 'manifest.mediaType' } });
  });

  it('refuses Docker schema 1, saying so', () => {
    expect(problem({ schemaVersion: 1, name: 'x', fsLayers: [] }).message).toContain(
      'schema 1 is not supported',
    );
    expect(
      problem({ ...image, mediaType: undefined }, 'application/vnd.docker.distribution.manifest.v1+prettyjws')
        .message,
    ).toContain('schema 1');
  });

  it('refuses a manifest over the size limit before reading it', () => {
    expect(problem(Buffer.alloc(limits.manifestBytesMax + 1)).code).toBe('manifestTooLarge');
  });
});
