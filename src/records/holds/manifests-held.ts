import type { Reader } from '../db/engine.ts';

/** The manifests of a repository that something keeps, by digest, with what: `pin sam`, `deployment shop`. */
export async function manifestsHeld(
  db: Reader,
  { repositoryId, nowMs }: { repositoryId: number; nowMs: number },
): Promise<ReadonlyMap<string, string>> {
  const held = await db
    .selectFrom('holds')
    .innerJoin('manifests', 'manifests.digest', 'holds.digest')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .select(['holds.digest', 'holds.kind', 'holds.holder'])
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where((e) => e.or([e('holds.expires_at', 'is', null), e('holds.expires_at', '>', nowMs)]))
    .execute();
  // One that is stopped has no hold, but may be started again.
  const deployed = await db
    .selectFrom('deployments')
    .innerJoin('manifests', 'manifests.digest', 'deployments.manifest_digest')
    .innerJoin('repository_manifests', 'repository_manifests.manifest_id', 'manifests.id')
    .select(['manifests.digest', 'deployments.name'])
    .where('repository_manifests.repository_id', '=', repositoryId)
    .where('deployments.desired', '!=', 'removed')
    .execute();
  return new Map([
    ...held.map((hold) => [hold.digest, `${hold.kind} ${hold.holder}`] as const),
    ...deployed.map((deployment) => [deployment.digest, `deployment ${deployment.name}`] as const),
  ]);
}
