/**
 * The configuration that runc runs a container by (runtime-spec, config.md). What to execute comes from the image, read
 * by umoci; the confinement is written here and is the same for every image:
 *
 * - The host's network, so that an app is reached on the instance's own address, and no network of our own is left
 *   behind. Every other namespace is the container's.
 * - No new privileges, a short list of capabilities, no devices but the harmless ones that runc always gives.
 * - A writable root, which lives as long as the container. Volumes named by the image are plain folders in it.
 * - Without root: a user namespace in which root is the agent's own user. It is the only user that exists there, so the
 *   image's `User` can't be kept; and no cgroup.
 */
import { type Field, parseJsonField } from '../../lib/fields.ts';
import { limits } from '../../lib/limits.ts';
import type { ContainerSpec } from './runtime.ts';

/** What the image asks for. */
export interface ImageProcess {
  readonly args: readonly string[];
  readonly cwd: string;
  readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids: readonly number[] };
  readonly env: Readonly<Record<string, string>>;
}

/** As whom the agent runs, and where the container's cgroup is: without root there is none. */
export type Privilege =
  | {
      readonly kind: 'root';
      readonly cgroupsPath: string;
      /** The file of the PID namespace that it joins; one of its own unless given. */
      readonly pidNamespace?: string;
    }
  | { readonly kind: 'rootless'; readonly uid: number; readonly gid: number };

/** @param config what `umoci raw runtime-config` wrote @throws invalid */
export function imageProcess(config: Uint8Array): ImageProcess {
  const process = parseJsonField(config, 'config').member('process');
  const user = process.member('user');
  const gids = user.optionalOrNull('additionalGids')?.items(1_000) ?? [];
  const args = process.optionalOrNull('args')?.items(10_000) ?? [];
  if (args.length === 0) throw process.error('the image names nothing to execute (Entrypoint or Cmd)');
  return {
    args: args.map(text),
    cwd: process.optionalOrNull('cwd')?.string() || '/',
    user: {
      uid: user.member('uid').count(),
      gid: user.member('gid').count(),
      additionalGids: gids.map((gid) => gid.count()),
    },
    env: environment(process.optionalOrNull('env')?.items(10_000).map(text) ?? []),
  };
}

function text(field: Field): string {
  return field.string(limits.configBytesMax);
}

function environment(lines: readonly string[]): Readonly<Record<string, string>> {
  const named = lines.filter((line) => line.indexOf('=') > 0);
  return Object.fromEntries(
    named.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
}

/** The document `config.json` of a bundle whose root file system is the folder `rootfs`. */
export function runcSpec(image: ImageProcess, container: ContainerSpec, privilege: Privilege): unknown {
  const rootless = privilege.kind === 'rootless';
  const { uid, gid, additionalGids } = image.user;
  return {
    ociVersion: '1.0.2',
    process: {
      terminal: false,
      user: { ...(rootless ? { uid: 0, gid: 0 } : { uid, gid, additionalGids }), umask: 0o022 },
      args: image.args,
      env: Object.entries({ ...image.env, ...container.env }).map(([name, value]) => `${name}=${value}`),
      cwd: image.cwd,
      capabilities: { bounding: capabilities, effective: capabilities, permitted: capabilities },
      rlimits: [{ type: 'RLIMIT_NOFILE', hard: openFilesMax, soft: openFilesMax }],
      noNewPrivileges: true,
    },
    root: { path: 'rootfs', readonly: false },
    hostname: container.hostname,
    mounts: mounts(rootless),
    linux: {
      namespaces: namespaces(privilege),
      ...confinement(privilege),
      maskedPaths: [
        '/proc/acpi',
        '/proc/kcore',
        '/proc/keys',
        '/proc/latency_stats',
        '/proc/sched_debug',
        '/proc/scsi',
        '/proc/timer_list',
        '/proc/timer_stats',
        '/sys/firmware',
      ],
      readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
    },
  };
}

const openFilesMax = 1_024;

/** What ordinary servers that begin as root and drop to a user of their own need. */
const capabilities = [
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_KILL',
  'CAP_NET_BIND_SERVICE',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYS_CHROOT',
];

function namespaces(privilege: Privilege): unknown {
  const own = ['ipc', 'uts', 'mount', ...(privilege.kind === 'rootless' ? ['user'] : [])];
  const path = privilege.kind === 'root' ? privilege.pidNamespace : undefined;
  return [path === undefined ? { type: 'pid' } : { type: 'pid', path }, ...own.map((type) => ({ type }))];
}

function confinement(privilege: Privilege): Readonly<Record<string, unknown>> {
  if (privilege.kind === 'rootless')
    return {
      uidMappings: [{ containerID: 0, hostID: privilege.uid, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: privilege.gid, size: 1 }],
    };
  return {
    cgroupsPath: privilege.cgroupsPath,
    resources: { devices: [{ allow: false, access: 'rwm' }] },
  };
}

function mounts(rootless: boolean): unknown {
  const sealed = ['nosuid', 'noexec', 'nodev'];
  const pts = ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620'];
  return [
    mount('/proc', 'proc', sealed),
    mount('/dev', 'tmpfs', ['nosuid', 'strictatime', 'mode=755', 'size=65536k']),
    // The group tty does not exist in a user namespace of one user.
    mount('/dev/pts', 'devpts', rootless ? pts : [...pts, 'gid=5']),
    mount('/dev/shm', 'tmpfs', [...sealed, 'mode=1777', 'size=65536k']),
    mount('/dev/mqueue', 'mqueue', sealed),
    // A user namespace may not mount sysfs while the network is the host's.
    rootless
      ? { destination: '/sys', type: 'bind', source: '/sys', options: ['rbind', ...sealed, 'ro'] }
      : mount('/sys', 'sysfs', [...sealed, 'ro']),
  ];
}

function mount(destination: string, type: string, options: readonly string[]): unknown {
  return { destination, type, source: type, options };
}
