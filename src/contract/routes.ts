import { accountChange, accountCreate, accountList, whoami } from './access.ts';
import { advisoryExport, advisoryImport, advisoryShow, advisoryStatus } from './advisories.ts';
import { agentAssignments, agentReportSend } from './agent.ts';
import { blobExplain, clockConfirm, gcPlan, gcRun } from './collection.ts';
import {
  deploymentCreate,
  deploymentDelete,
  deploymentList,
  deploymentRestore,
  deploymentShow,
  deploymentStart,
  deploymentStop,
  revocationList,
} from './deployments.ts';
import { eventList } from './events.ts';
import {
  exceptionAccept,
  exceptionCreate,
  exceptionListRoute,
  exceptionShow,
  exceptionWithdraw,
  vexImport,
} from './exceptions.ts';
import { imageExplain } from './explain.ts';
import { forensicBlob } from './forensics.ts';
import { grantCreate, grantDelete, grantListRoute } from './grants.ts';
import { imageDiffFiles, imageDiffFindings, imageDiffPackages } from './image-diff.ts';
import { imageListRoute, imageShow } from './images.ts';
import { immutabilityRuleCreate, immutabilityRuleDelete, immutabilityRuleList } from './immutability.ts';
import { inspectionStatusShow } from './inspections.ts';
import { containerList, instanceCreate, instanceList } from './instances.ts';
import {
  imageFileList,
  imageLicenseList,
  imageMalwareList,
  imagePackageList,
  imageSbom,
  imageSecretList,
} from './inventory-lists.ts';
import {
  principalCreate,
  principalDisable,
  principalEnable,
  principalList,
  principalRemove,
  principalSecret,
  roleBind,
  roleUnbind,
} from './principals.ts';
import {
  planApply,
  planCreate,
  planShow,
  quarantineDestroy,
  quarantineHoldRoute,
  quarantineListRoute,
  quarantineReleaseRoute,
  quarantineRetention,
  quarantineShow,
} from './quarantines.ts';
import { receiptShow } from './receipts.ts';
import { regionList } from './regions.ts';
import { replicationAccess, replicationBlob, replicationHead, replicationStream } from './replication.ts';
import {
  retentionPlanShow,
  retentionRuleCreate,
  retentionRuleDelete,
  retentionRuleList,
} from './retention.ts';
import type { AnyRoute } from './route.ts';
import { sbomRuleCreate, sbomRuleDelete, sbomRuleList } from './sbom-rules.ts';
import {
  criteriaSchemaShow,
  scanCompare,
  scanCreate,
  scanImages,
  scanLive,
  scanShow,
  scanStream,
} from './scans.ts';
import { scrubRun } from './scrub.ts';
import { secretFingerprint } from './secrets.ts';
import { signingKeyListRoute, signingKeyRotate } from './signing-keys.ts';
import { openApiShow, versionShow } from './system.ts';
import { trashListRoute, trashRestoreRoute } from './trash.ts';

/** The one list of every management route: a test compares it with what the server binds. */
export const routes: readonly AnyRoute[] = [
  accountChange,
  accountCreate,
  accountList,
  openApiShow,
  principalCreate,
  principalDisable,
  principalEnable,
  principalList,
  principalRemove,
  principalSecret,
  roleBind,
  roleUnbind,
  secretFingerprint,
  signingKeyListRoute,
  signingKeyRotate,
  versionShow,
  whoami,
  advisoryExport,
  advisoryImport,
  advisoryShow,
  advisoryStatus,
  exceptionAccept,
  exceptionCreate,
  exceptionListRoute,
  exceptionShow,
  exceptionWithdraw,
  vexImport,
  imageExplain,
  imageDiffFiles,
  imageDiffFindings,
  imageDiffPackages,
  imageFileList,
  imageListRoute,
  imageLicenseList,
  imageMalwareList,
  imagePackageList,
  imageSbom,
  imageSecretList,
  imageShow,
  agentAssignments,
  agentReportSend,
  containerList,
  deploymentCreate,
  deploymentDelete,
  deploymentList,
  deploymentRestore,
  deploymentShow,
  deploymentStart,
  deploymentStop,
  grantCreate,
  grantDelete,
  grantListRoute,
  immutabilityRuleCreate,
  immutabilityRuleDelete,
  immutabilityRuleList,
  instanceCreate,
  instanceList,
  revocationList,
  blobExplain,
  gcPlan,
  inspectionStatusShow,
  clockConfirm,
  gcRun,
  scrubRun,
  eventList,
  forensicBlob,
  planApply,
  planCreate,
  planShow,
  quarantineDestroy,
  quarantineHoldRoute,
  quarantineListRoute,
  quarantineReleaseRoute,
  quarantineRetention,
  quarantineShow,
  receiptShow,
  regionList,
  replicationAccess,
  replicationBlob,
  replicationHead,
  replicationStream,
  retentionPlanShow,
  retentionRuleCreate,
  retentionRuleDelete,
  retentionRuleList,
  sbomRuleCreate,
  sbomRuleDelete,
  sbomRuleList,
  trashListRoute,
  trashRestoreRoute,
  criteriaSchemaShow,
  scanCreate,
  scanShow,
  scanImages,
  scanLive,
  scanStream,
  scanCompare,
];
