import { signingKeyTask } from '../actions/access/signing-keys.ts';
import { collectTask } from '../actions/collect/collect.ts';
import type { SbomPush } from '../actions/describe/attach-sbom.ts';
import { attachTask } from '../actions/describe/attach-task.ts';
import { expireExceptionsTask } from '../actions/exceptions/expire.ts';
import { proposeExceptionsTask } from '../actions/exceptions/propose.ts';
import { inspectTask } from '../actions/inspect/inspect-task.ts';
import { reinspectTask } from '../actions/inspect/reinspect.ts';
import { followFeedsTask } from '../actions/match/follow-feeds.ts';
import { ledgerTask } from '../actions/pull/ledger.ts';
import { cutTask, stalledTask } from '../actions/pull/open-streams.ts';
import { manifestPut } from '../actions/push/manifest-put.ts';
import { uploadMonolithic } from '../actions/push/upload-finish.ts';
import { exemptTask } from '../actions/quarantine/exempt.ts';
import { expiringTask } from '../actions/quarantine/expiring.ts';
import { retainTask } from '../actions/retain/retain.ts';
import { revokeTask } from '../actions/revoke/revoke-task.ts';
import { imageMeets } from '../actions/scan/image-meets.ts';
import type { Task } from '../lib/task.ts';
import type { Context } from './context.ts';

/** The one list of what goes on in the background. */
export function serverTasks(context: Context): readonly Task[] {
  const { config } = context;
  const isPrimary = config.primary === config.region;
  return [
    inspectTask({ ...context, workers: context.config.inspection.workers }),
    reinspectTask(context),
    attachTask({ ...context, push: pushOf(context) }),
    revokeTask({ ...context, imageMeets }),
    ledgerTask(context),
    signingKeyTask(context),
    cutTask(context),
    stalledTask(context),
    exemptTask(context),
    expiringTask(context),
    expireExceptionsTask(context),
    proposeExceptionsTask(context),
    retainTask(context, context.config.retention.intervalMs),
    collectTask(context, context.config.collection.intervalMs),
    ...(isPrimary ? [followFeedsTask(context, config.advisories.sources)] : []),
    ...context.replication.tasks,
  ];
}

/** The server pushes as its clients do. */
function pushOf(context: Context): SbomPush {
  return {
    blob: (blob) => uploadMonolithic(context, blob),
    manifest: (manifest) => manifestPut(context, manifest),
  };
}
