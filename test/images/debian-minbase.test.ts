import { describeRealImage } from './real-image.ts';
import { sameAsInside } from './same-inside.ts';

describeRealImage({ name: 'debian-minbase' }, sameAsInside);
