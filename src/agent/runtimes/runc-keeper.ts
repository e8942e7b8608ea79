/**
 * The keeper of a running container: a small shell that outlives the agent. It runs runc in the foreground, since only
 * the parent of a process learns its exit code, and leaves in the container's folder:
 *
 * - `pid`, written by runc once the container runs; its absence after the keeper's end means that it never did;
 * - `output`, `output.1`, `output.2`: the newest output in that order, together at most three times 4 MiB;
 * - `exit`: the exit code, 128 + n after signal n. It appears whole, after runc has removed its own state, so whoever
 *   sees it knows that nothing is left. Its modification time is the time of the exit.
 *
 * Races: a lock in the folder, which the kernel drops with the keeper, admits one keeper at a time; a second one (from
 * an agent that was restarted while the first was starting) ends with `keeperBusy` and touches nothing. A keeper that is
 * killed leaves its container running without an `exit`; the reader of the folder decides that case.
 */
import { spawn } from 'node:child_process';
import { toolEnvironment } from './run-tool.ts';

export interface KeeperOptions {
  readonly runc: string;
  /** runc's own state, `--root`. */
  readonly stateFolder: string;
  readonly containerFolder: string;
  readonly id: string;
}

export const keeperBusy = 75;

/** Starts a keeper. `ended` resolves with its exit code, or `undefined` when a signal ended it or it never began. */
export function startKeeper(options: KeeperOptions): { readonly ended: Promise<number | undefined> } {
  const { runc, stateFolder, containerFolder, id } = options;
  // A session of its own: what ends the agent's terminal or process group does not end the container.
  const child = spawn('/bin/sh', ['-c', script, 'lazaret-keeper', runc, stateFolder, id], {
    cwd: containerFolder,
    env: toolEnvironment,
    detached: true,
    stdio: 'ignore',
  });
  child.unref();
  const ended = new Promise<number | undefined>((resolve) => {
    child.on('error', () => resolve(undefined));
    child.on('exit', (exitCode) => resolve(exitCode ?? undefined));
  });
  return { ended };
}

/** dd rather than head: it writes what it has read at once, so that the newest output can be read while it runs. */
const script = `
exec 9>lock
flock -n 9 || exit ${keeperBusy}
if [ -e "$2/$3" ]; then "$1" --root "$2" delete --force "$3" 9>&-; fi
rm -f pid exit exit.new output output.1 output.2 runc.log
{
  "$1" --root "$2" --log runc.log --log-format json run --bundle bundle --pid-file pid "$3" 2>&1
  echo $? >exit.new
} 9>&- | while :; do
  dd bs=4096 count=1024 of=output status=none
  [ -s output ] || break
  [ ! -e output.1 ] || mv output.1 output.2
  mv output output.1
done
mv exit.new exit
`;
