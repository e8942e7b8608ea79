/**
 * The keeper of a running container: a small shell that outlives the agent. It runs runc in the foreground, since only
 * the parent of a process learns its exit code, and leaves in the container's folder:
 *
 * - `pid`, written by runc once the container runs; its absence after the keeper's end means that it never did;
 * - `output`, `output.1`, `output.2`: the newest output in that order, together at most three times 4 MiB;
 * - `exit`: the exit code, 128 + n after signal n. It appears whole, after runc has removed its own state, so whoever
 *   sees it knows that nothing is left. Its modification time is the time of the exit.
 * - `lease-ended`: there if the keeper ended it, since its lease had.
 *
 * A container with a lease has the file `lease` (`keptLeaseLine`), which the agent replaces as a whole at each renewal.
 * A second shell of the keeper reads it every second, and at its end ends or pauses the container, whether or not an
 * agent lives; the agent does the same a second earlier. Begun, a stop is finished. When wall time has gained on the boot
 * clock, the machine was paused: the container is paused until the agent resumes it with a new lease, or ended if it
 * can't be.
 *
 * With root that second shell also owns the container's PID namespace: it starts the namespace's first process, which the
 * kernel ends with the shell, and with it all of the container. So a lease holds also when the shell is killed.
 *
 * Races: a lock in the folder, which the kernel drops with the keeper, admits one keeper at a time; a second one (from
 * an agent that was restarted while the first was starting) ends with `keeperBusy` and touches nothing. A keeper that is
 * killed leaves its container running without an `exit`; the reader of the folder decides that case.
 */
import { spawn } from 'node:child_process';
import { limits } from '../../lib/limits.ts';
import { toolEnvironment } from './run-tool.ts';
import type { KeptLease } from './runtime.ts';

export interface KeeperOptions {
  readonly runc: string;
  /** runc's own state, `--root`. */
  readonly stateFolder: string;
  readonly containerFolder: string;
  readonly id: string;
  /** Whether it owns the container's PID namespace, whose file is then `pidns` in the container's folder. */
  readonly holds: boolean;
}

export const keeperBusy = 75;

/** When it ends by the boot clock, wall less boot time, what is done then, the stop deadline: seconds, rounded down. */
export function keptLeaseLine(lease: KeptLease): string {
  const { expiresAtBootMs, wallLeadMs, onLeaseEnd, stopDeadlineMs } = lease;
  const times = [expiresAtBootMs - limits.leaseMarginMs / 2, wallLeadMs, stopDeadlineMs];
  const [until, lead, deadline] = times.map((ms) => Math.floor(ms / 1_000));
  return `${until} ${lead} ${onLeaseEnd} ${deadline}\n`;
}

/** Starts a keeper. `ended` resolves with its exit code, or `undefined` when a signal ended it or it never began. */
export function startKeeper(options: KeeperOptions): { readonly ended: Promise<number | undefined> } {
  const { runc, stateFolder, containerFolder, id, holds } = options;
  // A session of its own: what ends the agent's terminal or process group does not end the container.
  const hold = holds ? holder : '';
  const child = spawn('/bin/sh', ['-c', script, 'lazaret-keeper', runc, stateFolder, id, hold], {
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

/** The first process of a namespace: it says where the namespace is, and reaps what has lost its parent. */
const holder = `
read -r pid rest </proc/self/stat
ln -s "/proc/$pid/ns/pid" pidns
while :; do sleep 3600 & wait $!; done
`;

/** dd rather than head: it writes what it has read at once, so that the newest output can be read while it runs. */
const script = `
exec 9>lock
flock -n 9 || exit ${keeperBusy}
if [ -e "$2/$3" ]; then "$1" --root "$2" delete --force "$3" 9>&-; fi
rm -f pid pidns exit exit.new lease-ended output output.1 output.2 runc.log
runc() { "$program" --root "$state" "$@" >/dev/null 2>&1; }
is_over() { [ -e exit.new ] || [ -e exit ]; }
is() { "$program" --root "$state" state "$id" 2>/dev/null | grep -q '"status": "'"$1"; }
freeze() { is paused || runc pause "$id" || is paused; }
end() {
  : >lease-ended
  runc kill "$id" TERM
  runc resume "$id"
  while [ "$deadline" -gt 0 ] && ! is_over; do sleep 1; deadline=$((deadline - 1)); done
  while ! is_over && { is running || is paused; }; do runc kill "$id" KILL; sleep 1; done
  let_go
  exit
}
watch_lease() {
  if [ -n "$holder" ]; then
    setpriv --pdeathsig KILL unshare --pid --fork --kill-child=KILL sh -c "$holder" &
    held=$!
  fi
  until [ -e pid ] || is_over || [ ! -e lease ]; do sleep 1; done
  while read -r until lead action deadline <lease && ! is_over; do
    read -r now rest </proc/uptime
    now=\${now%%.*}
    if [ "$now" -ge "$until" ]; then
      if [ "$action" = stop ]; then end; fi
      freeze || end
    elif [ $(($(date +%s) - now - lead)) -gt ${limits.pausedMachineMs / 1_000 + 1} ]; then
      freeze || end
    fi
    sleep 1
  done
  let_go
}
let_go() { [ -z "$holder" ] || kill -KILL "$held"; }
program=$1 state=$2 id=$3 holder=$4
watcher=
if [ -e lease ]; then watch_lease 9>&- & watcher=$!; fi
tries=0
until [ -z "$holder" ] || [ -e pidns ] || [ $tries -ge 100 ]; do sleep 0.05; tries=$((tries + 1)); done
{
  "$1" --root "$2" --log runc.log --log-format json run --bundle bundle --pid-file pid "$3" 2>&1
  echo $? >exit.new
} 9>&- | while :; do
  dd bs=4096 count=1024 of=output status=none
  [ -s output ] || break
  [ ! -e output.1 ] || mv output.1 output.2
  mv output output.1
done
[ -z "$watcher" ] || kill -KILL "$watcher"
mv exit.new exit
`;
