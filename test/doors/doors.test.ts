/**
 * The table of the doors: rows are doors, columns are live, condemned and reached by a quarantine, for each media type and
 * nesting, at home and at a replica. One world per engine serves all of it; `docs/concepts/quarantine.md` has the rows.
 */
import { afterAll, beforeAll } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { blobDoors } from './blob-doors.ts';
import { indexDoors } from './index-doors.ts';
import { manifestDoors } from './manifest-doors.ts';
import { launchDoors, replicationDoors } from './other-doors.ts';
import { pushDoors } from './push-doors.ts';
import { forensics, refusalsTold } from './refusals.ts';
import { Arrangement, closeDoorWorld, type DoorWorld, openDoorWorld } from './world.ts';

describeEngines('the doors', (engine) => {
  const arranged = new Arrangement();
  let world: DoorWorld;
  beforeAll(async () => {
    world = await openDoorWorld(engine, arranged);
  }, 180_000);
  afterAll(() => world && closeDoorWorld(world));

  for (const doors of [
    blobDoors,
    pushDoors,
    manifestDoors,
    indexDoors,
    refusalsTold,
    forensics,
    replicationDoors,
    launchDoors,
  ])
    doors(arranged, () => world);
});
