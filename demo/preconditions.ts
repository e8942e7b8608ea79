import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { debianTools } from '../scripts/debian-tools.ts';
import { checkRunc, type RuncTools } from '../src/agent/runtimes/runc-check.ts';

/** Something that this machine lacks, said in one sentence. */
export class Missing extends Error {
  override readonly name = 'Missing';
}

/** Makes ready what the demo needs of the machine. @throws Missing */
export async function prepareMachine(): Promise<RuncTools> {
  if (process.platform !== 'linux')
    throw new Missing(`The demo runs containers, which needs Linux; this is ${process.platform}.`);
  for (const program of ['ldd', 'npm'])
    if (!(await onPath(program)))
      throw new Missing(`The demo needs the program ${program}, which is not on PATH.`);
  const folder = await debianTools(['runc', 'umoci']).catch((cause: unknown) => {
    throw new Missing(cause instanceof Error ? cause.message : String(cause), { cause });
  });
  const tools = { runc: join(folder, 'runc'), umoci: join(folder, 'umoci') };
  const missing = await checkRunc(tools);
  if (missing !== undefined) throw new Missing(missing);
  return tools;
}

async function onPath(program: string): Promise<boolean> {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const there = await access(join(folder, program), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (there) return true;
  }
  return false;
}
