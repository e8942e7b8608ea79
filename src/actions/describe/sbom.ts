import { LazaretError } from '../../lib/errors.ts';
import { lazaretVersion } from '../../lib/version.ts';
import type { Database } from '../../records/db/database.ts';
import { imageContents } from '../../records/inventory/image-contents.ts';
import { cycloneDx } from './cyclonedx.ts';
import type { SbomSubject } from './sbom-subject.ts';
import { spdx } from './spdx.ts';

/** The formats there are: the media type that IANA knows each by, and who writes it. */
const sbomFormats = {
  cyclonedx: { mediaType: 'application/vnd.cyclonedx+json', write: cycloneDx },
  spdx: { mediaType: 'application/spdx+json', write: spdx },
} as const satisfies Record<string, { mediaType: string; write: (subject: SbomSubject) => Promise<string> }>;

export type SbomFormat = keyof typeof sbomFormats;

export interface Sbom {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

/**
 * The bill of materials of an image: the same bytes whenever the same was found in it.
 * @throws conflict while it is not inspected, and for what is no image; tooLarge
 */
export async function sbomOf(
  database: Database,
  image: { readonly id: number; readonly digest: string; readonly repository: string },
  format: SbomFormat,
): Promise<Sbom> {
  const { repository, digest } = image;
  const contents = await imageContents(database, image.id);
  if (!contents || contents.state === 'notApplicable')
    throw new LazaretError('conflict', `${repository}@${digest} has no packages to list: it is no image`);
  if (contents.state === 'pending')
    throw new LazaretError('conflict', `${repository}@${digest} is still being inspected`);
  const tool = { name: 'lazaret', version: lazaretVersion };
  const { mediaType, write } = sbomFormats[format];
  const text = await write({ ...contents, repository, digest, tool });
  return { mediaType, bytes: Buffer.from(text) };
}
