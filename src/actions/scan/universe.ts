import { advisorySourceList } from '../../records/advisories/sources.ts';
import type { Database } from '../../records/db/database.ts';
import type { Reader } from '../../records/db/engine.ts';
import { imagesInScope, type ScannedImage, type ScanScope } from '../../records/scans/images.ts';
import type { Universe } from './evaluate.ts';

export async function advisoriesLoaded(db: Reader): Promise<boolean> {
  return (await advisorySourceList(db)).length > 0;
}

export async function universeOf(
  database: Database,
  scope: ScanScope,
): Promise<{ images: ScannedImage[]; universe: Universe }> {
  const images = await imagesInScope(database, scope);
  return {
    images,
    universe: {
      all: new Set(images.map((image) => image.manifestId)),
      uninspected: new Set(images.filter((image) => image.state !== 'done').map((image) => image.manifestId)),
      withoutAdvisories: !(await advisoriesLoaded(database.read)),
    },
  };
}
