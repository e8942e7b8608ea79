import { expect, test } from 'vitest';
import { parsePackageName } from './purl.ts';

test.each([
  ['pkg:npm/%40types/node@24.1.0', { type: 'npm', name: '@types/node', version: '24.1.0' }],
  ['pkg:maven/org.apache/log4j', { type: 'maven', name: 'org.apache:log4j' }],
  ['pkg:golang/github.com/a/b', { type: 'golang', name: 'github.com/a/b' }],
  ['pkg:pypi/Zope.Interface', { type: 'pypi', name: 'zope-interface' }],
  ['pkg:pypi/ruamel_yaml@1', { type: 'pypi', name: 'ruamel-yaml', version: '1' }],
  ['pkg:composer/Laravel/Framework', { type: 'composer', name: 'laravel/framework' }],
  ['pkg:gem/rack', { type: 'gem', name: 'rack' }],
  ['pkg:deb/debian/curl', { type: 'deb', name: 'curl', distribution: 'debian' }],
  ['pkg:apk/curl', { type: 'apk', name: 'curl' }],
  ['pkg:rpm/almalinux/curl', { type: 'rpm', name: 'curl', distribution: 'almalinux' }],
])('%s is named as inventories and advisories name it', (purl, expected) => {
  expect(parsePackageName(purl)).toEqual({ distribution: undefined, version: undefined, ...expected });
});

test('what is no package URL is refused', () => {
  expect(() => parsePackageName('lodash')).toThrow("'lodash' is no package URL");
});
