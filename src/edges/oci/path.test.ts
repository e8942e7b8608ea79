import { describe, expect, it } from 'vitest';
import { parseOciPath } from './path.ts';

describe('a path of the distribution API', () => {
  it.each([
    ['', { kind: 'base' }],
    ['/', { kind: 'base' }],
    ['/_catalog', { kind: 'catalog' }],
    ['/token', { kind: 'token' }],
    ['/a/blobs/uploads/', { kind: 'uploads', name: 'a' }],
    ['/a/b/blobs/uploads', { kind: 'uploads', name: 'a/b' }],
    ['/a/b/blobs/uploads/u-1', { kind: 'upload', name: 'a/b', id: 'u-1' }],
    ['/a/b/c/blobs/sha256:0', { kind: 'blob', name: 'a/b/c', digest: 'sha256:0' }],
    ['/a/manifests/latest', { kind: 'manifest', name: 'a', reference: 'latest' }],
    ['/blobs/uploads/manifests/1', { kind: 'manifest', name: 'blobs/uploads', reference: '1' }],
    ['/a/tags/list', { kind: 'tags', name: 'a' }],
    ['/a/referrers/sha256:0', { kind: 'referrers', name: 'a', digest: 'sha256:0' }],
  ])('%s is read from its end', (path, expected) => {
    expect(parseOciPath(path)).toEqual(expected);
  });

  it.each(['/a', '/manifests/1', '/a/tags/1', '/a/manifests/', '/blobs/uploads/', '/a/b'])(
    '%s is none',
    (path) => {
      expect(parseOciPath(path)).toBeUndefined();
    },
  );
});
