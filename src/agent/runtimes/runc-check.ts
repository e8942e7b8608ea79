import { readFile } from 'node:fs/promises';
import { causeChain } from '../../lib/errors.ts';
import { runTool } from './run-tool.ts';

/** Programs by path, or by a name that is found in the usual folders. */
export interface RuncTools {
  readonly runc: string;
  readonly umoci: string;
}

/** One sentence that says what this machine lacks to run containers with runc, or nothing. */
export async function checkRunc(tools: RuncTools): Promise<string | undefined> {
  if (process.platform !== 'linux') return `The runtime runc needs Linux; this is ${process.platform}.`;
  return (
    (await checkTool('runc', tools.runc)) ??
    (await checkTool('umoci', tools.umoci)) ??
    (process.geteuid?.() === 0 ? undefined : await checkUserNamespaces())
  );
}

async function checkTool(name: string, path: string): Promise<string | undefined> {
  try {
    const { exitCode } = await runTool(path, ['--version']);
    return exitCode === 0 ? undefined : `${name} (${path}) does not run: it ended with code ${exitCode}.`;
  } catch (error) {
    return `${name} is not installed, or can't be run: ${causeChain(error)}.`;
  }
}

/** The switches that are known are named; whatever else stands in the way shows in trying. */
async function checkUserNamespaces(): Promise<string | undefined> {
  for (const { file, off, hint } of switches)
    if ((await readSwitch(file)) === off)
      return `Containers without root need user namespaces, which ${file} = ${off} turns off; ${hint}.`;
  const tried = await runTool('unshare', ['--user', '--map-root-user', 'true']).catch(() => undefined);
  if (tried === undefined || tried.exitCode === 0) return undefined;
  return `Containers without root need user namespaces, which this machine refuses: ${tried.stderr.trim()}.`;
}

const switches = [
  { file: '/proc/sys/user/max_user_namespaces', off: '0', hint: 'raise it, or run the agent as root' },
  {
    file: '/proc/sys/kernel/unprivileged_userns_clone',
    off: '0',
    hint: 'set it to 1, or run the agent as root',
  },
] as const;

/** Kernels differ in which switches they have. */
async function readSwitch(file: string): Promise<string | undefined> {
  const content = await readFile(file, 'utf8').catch(() => undefined);
  return content?.trim();
}
