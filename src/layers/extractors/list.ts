import type { Extractor } from '../extractor.ts';
import { apk } from './apk/apk.ts';
import { cargo } from './cargo/cargo.ts';
import { composer } from './composer/composer.ts';
import { dpkg } from './dpkg/dpkg.ts';
import { executable } from './executable/executable.ts';
import { go } from './go/go.ts';
import { java } from './java/java.ts';
import { npm } from './npm/npm.ts';
import { nuget } from './nuget/nuget.ts';
import { osRelease } from './os-release/os-release.ts';
import { pypi } from './pypi/pypi.ts';
import { rpm } from './rpm/rpm.ts';
import { rubygems } from './rubygems/rubygems.ts';

/** Every extractor. A new one is added here (docs/guides/add-extractor.md). */
export const extractors: readonly Extractor[] = [
  apk,
  cargo,
  composer,
  dpkg,
  executable,
  go,
  java,
  npm,
  nuget,
  osRelease,
  pypi,
  rpm,
  rubygems,
];
