import { accountCreate, accountList, principalCreate, principalDisable, roleBind, whoami } from './access.ts';
import type { AnyRoute } from './route.ts';
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
];
