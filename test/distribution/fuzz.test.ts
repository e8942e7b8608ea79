import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseScopes } from '../../src/actions/access/tokens.ts';
import { parseOciPath } from '../../src/edges/oci/path.ts';
import { LazaretError } from '../../src/lib/errors.ts';
import { digestOf, isDigest } from '../../src/oci/digest.ts';
import { manifestArtifactType, parseManifest } from '../../src/oci/manifest.ts';
import { mediaTypes } from '../../src/oci/media-types.ts';
import { parseRepositoryName, parseTagOrDigest } from '../../src/oci/reference.ts';

/** What comes from outside, made up: either it means what was written, or it is refused as what it is. */
const runs = { numRuns: 500 };
const part = fc.stringMatching(/^[a-z0-9]{1,6}([._-][a-z0-9]{1,6}){0,2}$/);
/** Names also of parts that are words of the paths. */
const name = fc
  .array(fc.oneof(part, fc.constantFrom('blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers')), {
    minLength: 1,
    maxLength: 5,
  })
  .map((parts) => parts.join('/'));
const tag = fc.stringMatching(/^[A-Za-z0-9_][A-Za-z0-9._-]{0,20}$/);
const digest = fc
  .tuple(fc.string(), fc.constantFrom('sha256' as const, 'sha512' as const))
  .map(([text, algorithm]) => digestOf(text, algorithm));

describe('a path of the distribution API', () => {
  it('is read as what it was made of, whatever the name', () => {
    fc.assert(
      fc.property(name, digest, fc.oneof(tag, digest), (repository, blob, reference) => {
        expect(parseOciPath(`/${repository}/blobs/${blob}`)).toEqual({
          kind: 'blob',
          name: repository,
          digest: blob,
        });
        expect(parseOciPath(`/${repository}/referrers/${blob}`)).toEqual({
          kind: 'referrers',
          name: repository,
          digest: blob,
        });
        expect(parseOciPath(`/${repository}/tags/list`)).toEqual({ kind: 'tags', name: repository });
        const upload = { kind: 'upload', name: repository, id: 'u-1' };
        expect(parseOciPath(`/${repository}/blobs/uploads/u-1`)).toEqual(upload);
        const uploads = { kind: 'uploads', name: repository };
        expect(parseOciPath(`/${repository}/blobs/uploads/`)).toEqual(uploads);
        const path = `/${repository}/manifests/${reference}`;
        expect(parseOciPath(path)).toEqual({ kind: 'manifest', name: repository, reference });
      }),
      runs,
    );
  });

  it('is never a resource of a name that is none, and nothing throws but what the names are refused by', () => {
    const segment = fc.oneof(
      part,
      fc.string({ maxLength: 5 }),
      fc.constantFrom('blobs', 'uploads', 'manifests', '..', ''),
    );
    const paths = fc.array(segment, { maxLength: 7 }).map((segments) => `/${segments.join('/')}`);
    fc.assert(
      fc.property(paths, (path) => {
        const found = parseOciPath(path);
        if (!found || !('name' in found)) return;
        expect(path.startsWith(`/${found.name}/`)).toBe(true);
        refusedOr(() => expect(parseRepositoryName(found.name).name).toBe(found.name), ['nameInvalid']);
        if (found.kind === 'manifest')
          refusedOr(() => void parseTagOrDigest(found.reference), ['nameInvalid', 'digestInvalid']);
      }),
      runs,
    );
  });
});

const descriptor = fc.record(
  {
    mediaType: fc.constantFrom(...Object.values(mediaTypes)),
    digest,
    size: fc.nat(),
    annotations: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
    unknown: fc.jsonValue(),
  },
  { requiredKeys: ['mediaType', 'digest', 'size'] },
);
const more = fc.record(
  {
    annotations: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
    subject: descriptor,
    artifactType: fc.constant('application/x.y+json'),
    extra: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const image = fc
  .tuple(more, descriptor, fc.array(descriptor, { maxLength: 5 }))
  .map(([rest, config, layers]) => ({
    ...rest,
    schemaVersion: 2,
    mediaType: mediaTypes.ociManifest,
    config,
    layers,
  }));
const index = fc
  .tuple(more, fc.array(descriptor, { maxLength: 5 }))
  .map(([rest, manifests]) => ({ ...rest, schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests }));

describe('a manifest', () => {
  it('that is well formed is read as it was written', () => {
    fc.assert(
      fc.property(fc.oneof(image, index), (document) => {
        const manifest = parseManifest(bytesOf(document), document.mediaType);
        const named = (list: readonly { readonly digest: string }[]) => list.map((each) => each.digest);
        if (manifest.kind === 'image' && 'layers' in document) {
          expect(named([manifest.config, ...manifest.layers])).toEqual(
            named([document.config, ...document.layers]),
          );
          expect(manifestArtifactType(manifest)).toBe(document.artifactType ?? document.config.mediaType);
        } else if (manifest.kind === 'index' && 'manifests' in document)
          expect(named(manifest.manifests)).toEqual(named(document.manifests));
        else expect.unreachable('it was read as another kind');
        expect(manifest.subject?.digest).toBe(document.subject?.digest);
        expect(manifest.annotations).toEqual({ ...document.annotations });
      }),
      runs,
    );
  });

  it('of which one place holds something else is read, or refused as a manifest', () => {
    fc.assert(
      fc.property(fc.oneof(image, index), fc.nat(), fc.jsonValue(), (document, at, other) => {
        const places = placesOf(document);
        const place = places[at % places.length] ?? [];
        refusedOr(() => void parseManifest(bytesOf(replaced(document, place, other))), ['manifestInvalid']);
      }),
      runs,
    );
  });

  it('of whatever bytes is read, or refused as a manifest', () => {
    const anything = fc.oneof(fc.uint8Array(), fc.json().map(Buffer.from), fc.string().map(Buffer.from));
    fc.assert(
      fc.property(anything, fc.option(fc.string(), { nil: undefined }), (content, contentType) => {
        refusedOr(() => void parseManifest(content, contentType), ['manifestInvalid']);
      }),
      runs,
    );
  });
});

describe('scopes', () => {
  const action = fc.constantFrom('pull', 'push', 'delete', '*');
  it('are what was asked for, in one text or in several', () => {
    const scope = fc.record({ name, actions: fc.uniqueArray(action, { minLength: 1 }) });
    const asked = fc.uniqueArray(scope, { selector: (each) => each.name, maxLength: 20 });
    fc.assert(
      fc.property(asked, fc.boolean(), (scopes, together) => {
        const texts = scopes.map((each) => `repository:${each.name}:${each.actions.join(',')}`);
        const parsed = parseScopes(together ? [texts.join(' ')] : texts);
        expect(parsed).toEqual(scopes.map((each) => ({ type: 'repository', ...each })));
      }),
      runs,
    );
  });

  it('of whatever text never throw, and grant no action that was not written', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^[a-z:,/* ]{0,60}$/));
    fc.assert(
      fc.property(text, (asked) => {
        for (const { type, name: of, actions } of parseScopes([asked])) {
          expect(asked).toContain(`${type}:${of}:`);
          for (const each of actions) expect(asked).toContain(each);
        }
      }),
      runs,
    );
  });
});

it('a digest is one only in its registered form', () => {
  const near = fc
    .tuple(digest, fc.nat(140), fc.string({ maxLength: 2 }))
    .map(([text, at, put]) => text.slice(0, at) + put + text.slice(at + 1));
  fc.assert(
    fc.property(near, (text) => {
      expect(isDigest(text)).toBe(
        /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.test(text) && !text.endsWith('\n'),
      );
    }),
    runs,
  );
});

function bytesOf(document: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(document));
}

function refusedOr(work: () => void, codes: readonly string[]): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof LazaretError)) throw error;
    expect(codes).toContain(error.code);
  }
}

type Place = readonly (string | number)[];

/** The way to each value within. */
function placesOf(value: unknown, at: Place = []): Place[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([key, each]) => placesOf(each, [...at, key]))];
}

function replaced(value: unknown, [key, ...rest]: Place, other: unknown): unknown {
  if (key === undefined) return other;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(
    ([name, each]) => [name, name === key ? replaced(each, rest, other) : each] as const,
  );
  return Array.isArray(value) ? entries.map(([, each]) => each) : Object.fromEntries(entries);
}
