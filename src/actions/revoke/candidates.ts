import type { Deployment } from '../../contract/fleet.ts';
import { isRecord } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import type { Reader } from '../../records/db/engine.ts';
import {
  deploymentsAsking,
  deploymentsOfGrant,
  deploymentsWithContent,
  deploymentsWithPackages,
} from '../../records/fleet/affected.ts';
import type { LogEvent } from '../../records/log/event.ts';

/**
 * The running deployments whose event criteria an event may have made true: found from what the event names, by index.
 * Only an event that names too much to list makes everyone who asks for that kind be looked at.
 */
export async function candidatesOf(db: Reader, event: LogEvent): Promise<readonly string[]> {
  return (await deploymentsConcerned(db, event)).map((deployment) => deployment.uid);
}

async function deploymentsConcerned(db: Reader, { type, data }: LogEvent): Promise<readonly Deployment[]> {
  switch (type) {
    case 'advisory.imported':
      return packagesChanged(db, data);
    case 'exception.accepted':
    case 'exception.withdrawn':
    case 'exception.expired':
      return deploymentsAsking(db, ['imageMeets']);
    case 'image.inspected':
    case 'layer.inspected':
      return deploymentsWithContent(db, { digests: texts([data.digest]), diffIds: [] });
    case 'quarantine.set':
      return marksSet(db, data);
    case 'quarantine.exempted':
      return noLongerSpared(db, data);
    case 'grant.revoked':
      return grantRevoked(db, data);
    default:
      return [];
  }
}

function packagesChanged(db: Reader, data: LogEvent['data']): Promise<readonly Deployment[]> {
  const { packageIds: listed, packagesAffected } = data;
  const ids = Array.isArray(listed) ? listed.filter((id) => Number.isSafeInteger(id)).map(Number) : [];
  const complete =
    Array.isArray(listed) && (typeof packagesAffected !== 'number' || ids.length >= packagesAffected);
  return complete ? deploymentsWithPackages(db, ids) : deploymentsAsking(db, ['imageMeets']);
}

function marksSet(db: Reader, { marks }: LogEvent['data']): Promise<readonly Deployment[]> {
  const list = Array.isArray(marks) ? marks.filter(isRecord) : [];
  // A glob may name any repository; a list of marks that is not there, anything.
  if (
    list.length === 0 ||
    list.length > limits.apiPageMax ||
    list.some((mark) => mark.target === 'repository')
  )
    return deploymentsAsking(db, ['quarantined']);
  return deploymentsWithContent(db, {
    digests: texts(list.map((mark) => mark.digest)),
    diffIds: texts(list.map((mark) => mark.diffId)),
  });
}

function noLongerSpared(db: Reader, { manifests }: LogEvent['data']): Promise<readonly Deployment[]> {
  const list = Array.isArray(manifests) ? manifests.filter(isRecord) : [];
  const digests = texts(list.filter((one) => one.exempt === false).map((one) => one.digest));
  return deploymentsWithContent(db, { digests, diffIds: [] });
}

async function grantRevoked(db: Reader, data: LogEvent['data']): Promise<readonly Deployment[]> {
  const { owner, grantee } = data;
  if (typeof owner !== 'string' || typeof grantee !== 'string') return [];
  return deploymentsOfGrant(db, { owner, grantee });
}

function texts(values: readonly unknown[]): string[] {
  return values.filter((value) => typeof value === 'string');
}
