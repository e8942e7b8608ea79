import { accountCreate, accountList, principalCreate, principalDisable, roleBind, whoami } from './access.ts';
import { blobExplain, gcPlan, gcRun } from './collection.ts';
import { eventList } from './events.ts';
import {
  planApply,
  planCreate,
  planShow,
  quarantineDestroy,
  quarantineListRoute,
  quarantineReleaseRoute,
  quarantineShow,
} from './quarantines.ts';
import { receiptShow } from './receipts.ts';
import { regionList } from './regions.ts';
import { replicationAccess, replicationBlob, replicationStream } from './replication.ts';
import type { AnyRoute } from './route.ts';
import { scanCreate, scanShow } from './scans.ts';
import { openApiShow, versionShow } from './system.ts';

/** The one list of every management route: a test compares it with what the server binds. */
export const routes: readonly AnyRoute[] = [
  accountCreate,
  accountList,
  openApiShow,
  principalCreate,
  principalDisable,
  roleBind,
  versionShow,
  whoami,
  blobExplain,
  gcPlan,
  gcRun,
  eventList,
  planApply,
  planCreate,
  planShow,
  quarantineDestroy,
  quarantineListRoute,
  quarantineReleaseRoute,
  quarantineShow,
  receiptShow,
  regionList,
  replicationAccess,
  replicationBlob,
  replicationStream,
  scanCreate,
  scanShow,
];
