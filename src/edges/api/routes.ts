import type { CollectDeps } from '../../actions/collect/collect-deps.ts';
import type { LaunchDeps } from '../../actions/launch/launch-deps.ts';
import type { QuarantineDeps } from '../../actions/quarantine/plan.ts';
import type { ReceiptDeps } from '../../actions/quarantine/receipt.ts';
import { type AccessDeps, accessRoutes } from './access.ts';
import { type AdvisoryDeps, advisoryRoutes } from './advisories.ts';
import { type AgentDeps, agentRoutes } from './agent.ts';
import type { BoundRoute } from './bind.ts';
import { collectionRoutes } from './collection.ts';
import { deploymentRoutes } from './deployments.ts';
import { eventRoutes } from './events.ts';
import { exceptionRoutes } from './exceptions.ts';
import { explainRoutes } from './explain.ts';
import { forensicRoutes } from './forensics.ts';
import { grantRoutes } from './grants.ts';
import { imageDiffRoutes } from './image-diff.ts';
import { imageRoutes } from './images.ts';
import { immutabilityRoutes } from './immutability.ts';
import { type InspectionDeps, inspectionRoutes } from './inspections.ts';
import { instanceRoutes } from './instances.ts';
import { inventoryListRoutes } from './inventory-lists.ts';
import { type PrincipalDeps, principalRoutes } from './principals.ts';
import { quarantineRoutes } from './quarantines.ts';
import { receiptRoutes } from './receipts.ts';
import { regionRoutes } from './regions.ts';
import { type ReplicationDeps, replicationRoutes } from './replication.ts';
import { retentionRoutes } from './retention.ts';
import { sbomRuleRoutes } from './sbom-rules.ts';
import { scanRoutes } from './scans.ts';
import { scrubRoutes } from './scrub.ts';
import { secretRoutes } from './secrets.ts';
import { type SystemDeps, systemRoutes } from './system.ts';
import { trashRoutes } from './trash.ts';

/** All that the handlers use together; the server's context is one. */
export interface ApiDeps
  extends AgentDeps,
    AdvisoryDeps,
    LaunchDeps,
    AccessDeps,
    PrincipalDeps,
    SystemDeps,
    QuarantineDeps,
    CollectDeps,
    InspectionDeps,
    ReceiptDeps,
    ReplicationDeps {}

/** The one list of what answers the management routes. */
export function apiRoutes(deps: ApiDeps): BoundRoute[] {
  return [
    ...accessRoutes(deps),
    ...advisoryRoutes(deps),
    ...agentRoutes(deps),
    ...collectionRoutes(deps),
    ...deploymentRoutes(deps),
    ...eventRoutes(deps),
    ...exceptionRoutes(deps),
    ...explainRoutes(deps),
    ...forensicRoutes(deps),
    ...grantRoutes(deps),
    ...imageDiffRoutes(deps),
    ...imageRoutes(deps),
    ...immutabilityRoutes(deps),
    ...inspectionRoutes(deps),
    ...instanceRoutes(deps),
    ...inventoryListRoutes(deps),
    ...principalRoutes(deps),
    ...quarantineRoutes(deps),
    ...receiptRoutes(deps),
    ...regionRoutes(deps),
    ...replicationRoutes(deps),
    ...retentionRoutes(deps),
    ...sbomRuleRoutes(deps),
    ...scanRoutes(deps),
    ...scrubRoutes(deps),
    ...secretRoutes(deps),
    ...systemRoutes(deps),
    ...trashRoutes(deps),
  ];
}
