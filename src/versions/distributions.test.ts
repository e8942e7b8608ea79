import { describe, expect, test } from 'vitest';
import {
  hasRelease,
  matchedEcosystem,
  namesSources,
  ofRelease,
  type Release,
  releaseName,
} from './distributions.ts';

const release = (id: string, versionId?: string, prettyName?: string): Release => ({
  id,
  ...(versionId === undefined ? {} : { versionId }),
  ...(prettyName === undefined ? {} : { prettyName }),
});
const deb = 'pkg:deb/x@1?arch=amd64';
const apk = 'pkg:apk/x@1?arch=x86_64';
const rpm = 'pkg:rpm/x@1?arch=noarch';

test.each([
  [deb, release('debian', '12'), 'Debian:12', 'pkg:deb/debian/x@1?arch=amd64&distro=debian-12'],
  [deb, release('debian'), 'Debian', 'pkg:deb/debian/x@1?arch=amd64&distro=debian'],
  [deb, release('ubuntu', '22.04'), 'Ubuntu:22.04:LTS', 'pkg:deb/ubuntu/x@1?arch=amd64&distro=ubuntu-22.04'],
  [deb, release('ubuntu', '23.04'), 'Ubuntu:23.04', 'pkg:deb/ubuntu/x@1?arch=amd64&distro=ubuntu-23.04'],
  [deb, release('ubuntu', '24.10'), 'Ubuntu:24.10', 'pkg:deb/ubuntu/x@1?arch=amd64&distro=ubuntu-24.10'],
  [deb, release('raspbian', '11'), '', 'pkg:deb/raspbian/x@1?arch=amd64&distro=raspbian-11'],
  [apk, release('alpine', '3.18.4'), 'Alpine:v3.18', 'pkg:apk/alpine/x@1?arch=x86_64&distro=alpine-3.18.4'],
  [
    apk,
    release('alpine', '3.21_alpha20240923'),
    'Alpine:edge',
    'pkg:apk/alpine/x@1?arch=x86_64&distro=alpine-3.21_alpha20240923',
  ],
  [apk, release('wolfi', '20230201'), 'Wolfi', 'pkg:apk/wolfi/x@1?arch=x86_64&distro=wolfi-20230201'],
  [rpm, release('almalinux', '9.4'), 'AlmaLinux:9', 'pkg:rpm/almalinux/x@1?arch=noarch&distro=almalinux-9.4'],
  [rpm, release('rocky', '10'), 'Rocky Linux:10', 'pkg:rpm/rocky/x@1?arch=noarch&distro=rocky-10'],
  [
    rpm,
    release('rhel', '9.4'),
    'Red Hat:enterprise_linux:9',
    'pkg:rpm/redhat/x@1?arch=noarch&distro=rhel-9.4',
  ],
  [
    rpm,
    release('sles', '15.5'),
    'SUSE:Linux Enterprise 15 SP5',
    'pkg:rpm/suse/x@1?arch=noarch&distro=sles-15.5',
  ],
  [
    rpm,
    release('opensuse-leap', '15.5', 'openSUSE Leap 15.5'),
    'openSUSE:Leap 15.5',
    'pkg:rpm/opensuse/x@1?arch=noarch&distro=opensuse-leap-15.5',
  ],
  [
    rpm,
    release('opensuse-tumbleweed', '20240101', 'openSUSE Tumbleweed'),
    'openSUSE:Tumbleweed',
    'pkg:rpm/opensuse/x@1?arch=noarch&distro=opensuse-tumbleweed-20240101',
  ],
  [
    rpm,
    release('openeuler', '22.03', 'openEuler 22.03 (LTS-SP3)'),
    'openEuler:22.03-LTS-SP3',
    'pkg:rpm/openeuler/x@1?arch=noarch&distro=openeuler-22.03',
  ],
  [rpm, release('mariner', '2.0'), 'Azure Linux:2', 'pkg:rpm/mariner/x@1?arch=noarch&distro=mariner-2.0'],
  [rpm, release('fedora', '39'), '', 'pkg:rpm/fedora/x@1?arch=noarch&distro=fedora-39'],
])('%s of %o is of the ecosystem %j', (purl, of, ecosystem, completed) => {
  const found = ofRelease({ purl, ecosystem: '', name: 'x' }, of);
  expect(found).toEqual({ purl: completed, ecosystem, name: 'x' });
  expect(ofRelease(found, of)).toEqual(found);
  expect(hasRelease(found)).toBe(ecosystem.includes(':') || ecosystem === 'Wolfi');
});

describe('a package of an unknown release', () => {
  test.each([
    [deb, 'Debian', 'pkg:deb/debian/x@1?arch=amd64'],
    [apk, 'Alpine', 'pkg:apk/alpine/x@1?arch=x86_64'],
    [rpm, '', 'pkg:rpm/x@1?arch=noarch'],
  ])('%s is of the usual distribution, if there is one', (purl, ecosystem, completed) => {
    const found = ofRelease({ purl, ecosystem: '' }, undefined);
    expect(found).toEqual({ purl: completed, ecosystem });
    expect(hasRelease(found)).toBe(false);
  });

  test('learns it later', () => {
    const before = ofRelease({ purl: deb, ecosystem: '' }, undefined);
    expect(ofRelease(before, release('ubuntu', '22.04'))).toEqual({
      purl: 'pkg:deb/ubuntu/x@1?arch=amd64&distro=ubuntu-22.04',
      ecosystem: 'Ubuntu:22.04:LTS',
    });
  });
});

test('packages that are of no distribution stay as they are', () => {
  const found = { purl: 'pkg:npm/lodash@4.17.20', ecosystem: 'npm' };
  expect(ofRelease(found, release('debian', '12'))).toBe(found);
  expect(hasRelease(found)).toBe(true);
});

test('some advisories name source packages, some the packages themselves', () => {
  expect(['Debian:12', 'Alpine:v3.18', 'Rocky Linux:9', 'openSUSE:Leap 15.5'].map(namesSources)).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect(['AlmaLinux:9', 'Photon OS:5.0', 'npm', ''].map(namesSources)).toEqual([false, false, false, false]);
});

test.each([
  ['Red Hat:enterprise_linux:9::appstream', 'Red Hat:enterprise_linux:9'],
  ['Red Hat:enterprise_linux:8::baseos', 'Red Hat:enterprise_linux:8'],
  ['Red Hat:enterprise_linux:10.0', 'Red Hat:enterprise_linux:10'],
  ['Red Hat:rhel_eus:9.4::appstream', undefined],
  ['Red Hat:openshift:4.14::el9', undefined],
  ['SUSE:Linux Enterprise Module for Basesystem 15 SP5', 'SUSE:Linux Enterprise 15 SP5'],
  ['SUSE:Linux Enterprise Server 12 SP5-LTSS', 'SUSE:Linux Enterprise 12 SP5'],
  ['SUSE:Linux Enterprise Server 15', 'SUSE:Linux Enterprise 15'],
  ['SUSE:Linux Enterprise Micro 5.3', undefined],
  ['Debian:12', undefined],
])('advisories of %s are those of %s', (ecosystem, matched = ecosystem) => {
  expect(matchedEcosystem(ecosystem)).toBe(matched);
});

test('a release is called as people call it', () => {
  expect(releaseName(release('almalinux', '9.4'))).toBe('AlmaLinux 9.4');
  expect(releaseName({ id: 'debian', codename: 'sid' })).toBe('Debian sid');
  expect(releaseName(release('fedora', '39'))).toBe('fedora 39');
});
