import { limits } from '../../../lib/limits.ts';
import type { Extracted, ExtractedPackage, Extractor } from '../../extractor.ts';
import { walkArchive } from '../../formats/archive-walk.ts';
import { isJarMetadata, jarPackages } from './jar-packages.ts';

/** Jars under their many names: web and enterprise archives, Android's, plug-ins of Jenkins, Karaf, NiFi, JBoss. */
const archiveName = /\.(?:jar|war|ear|aar|rar|hpi|jpi|kar|nar|par|sar)$/i;

/** Java archives, at any depth in each other; links to them, which Debian's folders are full of, lead to what is read anyway. */
export const java: Extractor = {
  name: 'java',
  version: 4,
  fileBytesMax: limits.extractSpoolBytesMax,
  wants: ({ path, kind }) => kind !== 'link' && archiveName.test(path),
  extract: ({ path }, content): Extracted => {
    const walked = walkArchive(content, { isArchive: isJava, isMetadata: isJarMetadata }, limits);
    const packages: ExtractedPackage[] = [];
    let problem = walked.problem;
    for (const { member, metadata } of walked.archives) {
      const found = jarPackages({ fileName: baseName(member ?? path), metadata });
      if (found.problem !== undefined)
        problem ??= member === undefined ? found.problem : `${member}: ${found.problem}`;
      packages.push(...found.packages.map((one) => (member === undefined ? one : { ...one, member })));
    }
    return { packages, members: walked.members, ...(problem === undefined ? {} : { problem }) };
  },
};

function isJava(name: string): boolean {
  return archiveName.test(name);
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
