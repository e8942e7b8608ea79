import type { Deployment } from '../../contract/fleet.ts';
import { chunked, type Reader } from '../db/engine.ts';
import { deploymentOf } from './deployments.ts';

/**
 * Which running deployments a change may concern: found from what changed, by index, never by a walk over all of them.
 */

/** Their image shows one of these packages, in its view or in one of its layers. */
export async function deploymentsWithPackages(
  db: Reader,
  packageIds: readonly number[],
): Promise<Deployment[]> {
  const found: Deployment[] = [];
  for (const part of chunked(packageIds.map((id) => ({ id })))) {
    const ids = part.map(({ id }) => id);
    const rows = await running(db)
      .where((e) =>
        e.or([
          e.exists(
            e
              .selectFrom('manifests')
              .innerJoin('image_packages', 'image_packages.manifest_id', 'manifests.id')
              .select('manifests.id')
              .whereRef('manifests.digest', '=', 'deployments.manifest_digest')
              .where('image_packages.package_id', 'in', ids),
          ),
          e.exists(
            e
              .selectFrom('manifests')
              .innerJoin('edges', 'edges.manifest_id', 'manifests.id')
              .innerJoin('blobs', 'blobs.digest', 'edges.digest')
              .innerJoin('layer_packages', 'layer_packages.blob_id', 'blobs.id')
              .select('manifests.id')
              .whereRef('manifests.digest', '=', 'deployments.manifest_digest')
              .where('edges.kind', '=', 'layer')
              .where('layer_packages.package_id', 'in', ids),
          ),
        ]),
      )
      .execute();
    found.push(...(await Promise.all(rows.map(deploymentOf))));
  }
  return [...new Map(found.map((deployment) => [deployment.uid, deployment])).values()];
}

/** Their image is one of these manifests, or needs one of these blobs, or a layer with one of these diff ids. */
export async function deploymentsWithContent(
  db: Reader,
  content: { digests: readonly string[]; diffIds: readonly string[] },
): Promise<Deployment[]> {
  const digests = [...content.digests, none];
  const diffIds = [...content.diffIds, none];
  const rows = await running(db)
    .where((e) =>
      e.or([
        e('deployments.manifest_digest', 'in', digests),
        e.exists(
          e
            .selectFrom('manifests')
            .innerJoin('edges', 'edges.manifest_id', 'manifests.id')
            .leftJoin('blobs', 'blobs.digest', 'edges.digest')
            .leftJoin('inspections', 'inspections.blob_id', 'blobs.id')
            .select('manifests.id')
            .whereRef('manifests.digest', '=', 'deployments.manifest_digest')
            .where('edges.kind', '!=', 'subject')
            .where((or) =>
              or.or([
                or('edges.digest', 'in', digests),
                or('edges.diff_id', 'in', diffIds),
                or('inspections.diff_id', 'in', diffIds),
              ]),
            ),
        ),
      ]),
    )
    .execute();
  return Promise.all(rows.map(deploymentOf));
}

/** They run an image of `owner` for `grantee`. */
export async function deploymentsOfGrant(
  db: Reader,
  grant: { owner: string; grantee: string },
): Promise<Deployment[]> {
  const rows = await running(db)
    .where('deployments.owner', '=', grant.owner)
    .where('deployments.account', '=', grant.grantee)
    .execute();
  return Promise.all(rows.map(deploymentOf));
}

/** Their event criteria may have an event of this kind: a superset, to be read closely. */
export async function deploymentsAsking(db: Reader, kinds: readonly string[]): Promise<Deployment[]> {
  const rows = await running(db)
    .where((e) => e.or(kinds.map((kind) => e('deployments.event_criteria', 'like', `%"${kind}":%`))))
    .execute();
  return Promise.all(rows.map(deploymentOf));
}

/** Matches nothing; keeps an `in` list from being empty. */
const none = '';

function running(db: Reader) {
  return db
    .selectFrom('deployments')
    .selectAll('deployments')
    .where('deployments.desired', '=', 'running')
    .orderBy('deployments.id');
}
