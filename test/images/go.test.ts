import { describe, expect, test } from 'vitest';
import { describeRealImage } from './real-image.ts';
import { sameFindings } from './same-findings.ts';
import { sameAsInside } from './same-inside.ts';

const explained = [
  {
    listed: 'golang stdlib 1.17.2 esbuild',
    because: 'before Go 1.18 only addresses lead to the version; esbuild 0.14.0 was built by go1.17.2',
  },
];

describeRealImage({ name: 'go-scratch' }, (image) => {
  sameAsInside(image, explained);
  sameFindings(image, ['Go'], { packages: explained });
});

describe.each(['amd64', 'arm64'])('of an index the image for %s', (architecture) => {
  const platform = `linux/${architecture}`;
  describeRealImage({ name: 'go-multiarch', platform }, (image) => {
    sameAsInside(image);
    sameFindings(image, ['Go']);

    test('is one of two', () => {
      const { shown, children } = image();
      expect(children.map((child) => child.platform)).toEqual(['linux/amd64', 'linux/arm64']);
      expect(children.find((child) => child.platform === platform)?.digest).toBe(shown.digest);
    });
  });
});
