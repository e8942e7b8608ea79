import { type ScrubDeps, scrub } from '../../actions/scrub/scrub.ts';
import { scrubRun } from '../../contract/scrub.ts';
import { type BoundRoute, bind } from './bind.ts';

export function scrubRoutes(deps: ScrubDeps): BoundRoute[] {
  return [
    bind(scrubRun, ({ body, caller, signal }) => {
      const { repair = false, verify = false } = body;
      return scrub(deps, { repair, verify, actor: caller.principal }, signal);
    }),
  ];
}
