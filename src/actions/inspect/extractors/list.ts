import type { Extractor } from '../extractor.ts';
import { dpkg } from './dpkg/dpkg.ts';
import { npm } from './npm/npm.ts';
import { osRelease } from './os-release/os-release.ts';

/** Every extractor. A new one is added here (docs/guides/add-extractor.md). */
export const extractors: readonly Extractor[] = [dpkg, npm, osRelease];
