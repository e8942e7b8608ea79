import { describeRealImage } from './real-image.ts';
import { sameFindings } from './same-findings.ts';
import { sameAsInside } from './same-inside.ts';

describeRealImage({ name: 'python-app' }, (image) => {
  sameAsInside(image);
  sameFindings(image, ['Debian:12', 'PyPI']);
});
