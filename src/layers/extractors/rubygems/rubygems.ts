import { PackageURL } from 'packageurl-js';
import { limits } from '../../../lib/limits.ts';
import type { Extracted, Extractor, FileContent } from '../../extractor.ts';
import { parseGemspec } from './gemspec-file.ts';

/** Gems that come with Ruby are in `default`. */
const specification = /(?:^|\/)specifications\/(?:default\/)?[^/]+\.gemspec$/;

/** What `gem list` lists, of every folder of gems, also Debian's `usr/share/rubygems-integration`. */
export const rubygems: Extractor = {
  name: 'rubygems',
  version: 1,
  wants: ({ path }) => path.endsWith('.gemspec') && specification.test(path),
  extract: (_entry, content) => packageIn(content),
};

function packageIn(content: FileContent): Extracted {
  const head = content.read(0, limits.extractHeadBytesMax);
  const found = parseGemspec(Buffer.from(head).toString('utf8'));
  if (typeof found === 'string') return { problem: found };
  const { name, version, platform, license } = found;
  const qualifiers = platform === 'ruby' ? null : { platform };
  return {
    packages: [
      {
        purl: new PackageURL('gem', null, name, version, qualifiers, null).toString(),
        ecosystem: 'RubyGems',
        name,
        version,
        ...(license === undefined ? {} : { license }),
      },
    ],
  };
}
