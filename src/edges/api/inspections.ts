import { inspectionStatus, type ReinspectDeps } from '../../actions/inspect/reinspect.ts';
import { inspectionStatusShow } from '../../contract/inspections.ts';
import { type BoundRoute, bind } from './bind.ts';

export type InspectionDeps = ReinspectDeps;

export function inspectionRoutes(deps: InspectionDeps): BoundRoute[] {
  return [bind(inspectionStatusShow, () => inspectionStatus(deps))];
}
