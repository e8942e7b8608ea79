import { LazaretError } from '../../lib/errors.ts';
import { lazaretVersion } from '../../lib/version.ts';
import { type SbomFormat, sbomMediaTypes } from '../../oci/sbom-formats.ts';
import type { Database } from '../../records/db/database.ts';
import { imageContents } from '../../records/inventory/image-contents.ts';
import { cycloneDx } from './cyclonedx.ts';
import { madeAt, type SbomSubject } from './sbom-subject.ts';
import { spdx } from './spdx.ts';

const writers: Readonly<Record<SbomFormat, (subject: SbomSubject) => Promise<string>>> = {
  cyclonedx: cycloneDx,
  spdx,
};

export interface Sbom {
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** As the document says: when the image was. */
  readonly madeAt: string;
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
  const text = await writers[format]({ ...contents, repository, digest, tool });
  return { mediaType: sbomMediaTypes[format], bytes: Buffer.from(text), madeAt: madeAt(contents) };
}
