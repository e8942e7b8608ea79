import { type AccessDeps, accessRoutes } from './access.ts';
import type { BoundRoute } from './bind.ts';
import { type SystemDeps, systemRoutes } from './system.ts';

/** All that the handlers use together; the server's context is one. */
export interface ApiDeps extends AccessDeps, SystemDeps {}

/** The one list of what answers the management routes. */
export function apiRoutes(deps: ApiDeps): BoundRoute[] {
  return [...accessRoutes(deps), ...systemRoutes(deps)];
}
