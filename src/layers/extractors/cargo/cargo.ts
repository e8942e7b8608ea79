import { inflateSync } from 'node:zlib';
import { PackageURL } from 'packageurl-js';
import { ContentProblem } from '../../../lib/content-problem.ts';
import { isRecord } from '../../../lib/fields.ts';
import { limits } from '../../../lib/limits.ts';
import type { Extracted, ExtractedPackage, Extractor, FileContent } from '../../extractor.ts';
import { contentOf } from '../../file-content.ts';
import { isExecutable, readExecutable } from '../../formats/executable-file.ts';
import { jsonObjectOf } from '../json-object.ts';

/** No program of Rust's is smaller, by far. */
const sizeBytesMin = 4 * 1024;
const sectionNames = new Set(['.dep-v0', '__DATA,.dep-v0']);

/** The crates in a program that was built with cargo-auditable (its PARSING.md): JSON, compressed, in a section of its own. */
export const cargo: Extractor = {
  name: 'cargo-auditable',
  version: 1,
  fileBytesMax: limits.extractSpoolBytesMax,
  wants: ({ kind, sizeBytes }) => kind === 'file' && sizeBytes >= sizeBytesMin,
  accepts: isExecutable,
  extract: (_entry, content): Extracted => {
    const section = readExecutable(content, limits).sections.find(({ name }) => sectionNames.has(name));
    if (section === undefined) return {};
    if (section.sizeBytes > limits.metadataBytesMax)
      throw new ContentProblem(
        `a list of crates of ${section.sizeBytes} bytes; at most ${limits.metadataBytesMax} are read`,
      );
    const { packages } = jsonObjectOf(inflated(content.read(section.offset, section.sizeBytes)));
    if (!Array.isArray(packages)) throw new ContentProblem('a list of crates without crates');
    const read = packages.map(crateOf);
    const broken = read.filter((one) => one === 'broken').length;
    const found = read.filter((one) => typeof one === 'object');
    return {
      packages: found,
      ...(broken === 0 ? {} : { problem: `${broken} crates without name or version` }),
    };
  },
};

function inflated(bytes: Uint8Array): FileContent {
  try {
    return contentOf(inflateSync(bytes, { maxOutputLength: limits.extractJsonBytesMax }), limits);
  } catch (error) {
    throw new ContentProblem(
      `a list of crates that can't be unpacked: ${error instanceof Error ? error.message : error}`,
    );
  }
}

/** What a build needed and did not put into the program is no part of it. Advisories are about what crates.io has. */
function crateOf(value: unknown): ExtractedPackage | 'broken' | undefined {
  if (!isRecord(value)) return 'broken';
  const { name, version, source, kind } = value;
  if (typeof name !== 'string' || typeof version !== 'string' || name === '' || version === '')
    return 'broken';
  if (kind === 'build') return undefined;
  const purl = new PackageURL('cargo', null, name, version, null, null).toString();
  return { purl, ecosystem: source === 'crates.io' ? 'crates.io' : '', name, version };
}
