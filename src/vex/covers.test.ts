import { expect, test } from 'vitest';
import { canonicalPurl, purlCovers } from './covers.ts';

test.each<[said: string, found: string, sourceName: string | null, covers: boolean]>([
  ['pkg:npm/lodash', 'pkg:npm/lodash@4.17.20', null, true],
  ['pkg:npm/lodash@4.17.20', 'pkg:npm/lodash@4.17.20', null, true],
  ['pkg:npm/lodash@4.17.20', 'pkg:npm/lodash@4.17.21', null, false],
  ['pkg:npm/lodash', 'pkg:npm/lodash.merge@4.0.0', null, false],
  ['pkg:npm/%40babel/core', 'pkg:npm/%40babel/core@7.0.0', null, true],
  ['pkg:npm/core', 'pkg:npm/%40babel/core@7.0.0', null, false],
  ['pkg:pypi/Zope.Interface', 'pkg:pypi/zope-interface@5.0', null, true],
  ['pkg:deb/debian/libssl3', 'pkg:deb/debian/libssl3@3.0.1?arch=amd64&distro=debian-12', 'openssl', true],
  ['pkg:deb/debian/openssl', 'pkg:deb/debian/libssl3@3.0.1?arch=amd64', 'openssl', false],
  ['pkg:deb/debian/openssl?arch=source', 'pkg:deb/debian/libssl3@3.0.1?arch=amd64', 'openssl', true],
  ['pkg:deb/debian/libssl3?distro=debian-11', 'pkg:deb/debian/libssl3@3.0.1?distro=debian-12', null, false],
  ['pkg:deb/ubuntu/libssl3', 'pkg:deb/debian/libssl3@3.0.1', null, false],
  ['pkg:npm/lodash', 'pkg:npm/%', null, false],
  ['pkg:rpm/redhat/bash@5.1?epoch=1', 'pkg:rpm/redhat/bash@5.1', null, false],
])('what is said of %s holds for %s: %s, %s', (said, purl, sourceName, covers) => {
  expect(purlCovers(said)({ purl, sourceName })).toBe(covers);
});

test('a purl comes in its canonical form, and an image is none', () => {
  expect(canonicalPurl('pkg:PYPI/Django', 'body.purl')).toBe('pkg:pypi/django');
  expect(() => canonicalPurl('lodash', 'body.purl')).toThrow('body.purl: ');
  expect(() => canonicalPurl('pkg:oci/shop', 'body.purl')).toThrow('give its digest');
});
