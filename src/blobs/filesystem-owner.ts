import { readFile } from 'node:fs/promises';
import { isSystemCode, writeWhole } from './durable-files.ts';
import { ownerText, parseOwner } from './owner.ts';
import { foreignRegion } from './store-rules.ts';

/** Writes down at `path` that the folder is this region's, unless somebody has. @throws conflict if it is another's */
export async function claim(path: string, region: string): Promise<void> {
  const owner = (await ownerIn(path)) ?? (await claimFresh(path, region));
  if (owner !== region) throw foreignRegion(owner, region);
}

async function claimFresh(path: string, region: string): Promise<string> {
  try {
    await writeWhole(path, ownerText(region), { replace: false });
    return region;
  } catch (error) {
    // Another one was faster.
    const owner = isSystemCode(error, 'EEXIST') ? await ownerIn(path) : undefined;
    if (owner === undefined) throw error;
    return owner;
  }
}

async function ownerIn(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isSystemCode(error, 'ENOENT')) return undefined;
    throw error;
  });
  return text === undefined ? undefined : parseOwner(path, text);
}
