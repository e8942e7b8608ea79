import { expect, test } from 'vitest';
import { describeRealImage } from './real-image.ts';
import { sameFindings } from './same-findings.ts';
import { sameAsInside } from './same-inside.ts';

describeRealImage({ name: 'rpm-demo' }, (image) => {
  sameAsInside(image);
  sameFindings(image, ['AlmaLinux:9']);

  test('has source packages and a release, which advisories name', () => {
    const openssl = image().packages.find(({ name }) => name === 'openssl-libs');
    expect(openssl).toMatchObject({
      ecosystem: 'AlmaLinux:9',
      version: '1:3.0.1-23.el9_0',
      sourceName: 'openssl',
      sourceVersion: '1:3.0.1-23.el9_0',
    });
    expect(image().shown.os).toBe('AlmaLinux 9.0');
  });
});
