import { LazaretError } from '../../lib/errors.ts';
import type { Tx } from '../db/database.ts';
import { containerApply } from './containers.ts';
import { deploymentApply } from './deployments.ts';
import { instanceApply } from './instances.ts';

/**
 * Applies what another region said of the fleet, if it is newer than what is known. Any order of events leads to the same
 * rows, and an event may be applied again.
 * @returns whether anything changed. @throws invalid
 */
export async function fleetApply(tx: Tx, event: { type: string; data: unknown }): Promise<boolean> {
  if (event.type === 'instance.registered') return instanceApply(tx, event.data);
  if (event.type.startsWith('deployment.')) return deploymentApply(tx, event.data);
  if (event.type.startsWith('container.')) return containerApply(tx, event.data);
  throw new LazaretError('invalid', `'${event.type}' is no event of the fleet`);
}
