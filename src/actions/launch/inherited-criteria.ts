import type { AttachedCriteria } from '../../contract/fleet.ts';
import {
  eventCriteriaMediaType,
  formatEventCriteria,
  readEventCriteria,
} from '../../criteria/event-criteria.ts';
import { LazaretError } from '../../lib/errors.ts';
import { limits } from '../../lib/limits.ts';
import { collect } from '../../lib/streams.ts';
import { attachedDocuments } from '../../records/catalog/images.ts';
import type { DeployableImage } from './deployable-image.ts';
import type { LaunchDeps } from './launch-deps.ts';

/**
 * The event criteria that came with an image: artifacts of our type whose `subject` is the image, in its repository, with
 * the document as their one layer. Their owner asked to end the image's containers by them, so one that can't be read
 * stops the deployment rather than be left out.
 * @throws invalid, storeMissing, unavailable
 */
export async function inheritedCriteria(
  deps: LaunchDeps,
  image: DeployableImage,
): Promise<AttachedCriteria[]> {
  const documents = await attachedDocuments(deps.database.read, image, {
    artifactType: eventCriteriaMediaType,
    limit: limits.eventCriteriaEventsMax,
  });
  return Promise.all(
    documents.map(async ({ referrer, storageKey }) => {
      if (!storageKey)
        throw new LazaretError('unavailable', `the event criteria ${referrer} of the image are not here yet`);
      const { stream } = await deps.blobs.read(storageKey);
      const bytes = await collect(stream, limits.eventCriteriaBytesMax + 1);
      return { source: `image ${referrer}`, document: readCriteria(bytes, referrer) };
    }),
  );
}

function readCriteria(bytes: Uint8Array, referrer: string): unknown {
  try {
    return formatEventCriteria(readEventCriteria(bytes));
  } catch (cause) {
    throw new LazaretError('invalid', `the event criteria ${referrer} of the image can't be read`, { cause });
  }
}
