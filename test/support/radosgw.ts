/**
 * A real S3 server for tests: Ceph's radosgw with the monitor and the object store behind it, as three processes of this
 * machine that keep everything in memory and listen on 127.0.0.1 only.
 *
 * The programs are the machine's if Debian's packages are installed (`radosgwPackages`); else the packages are downloaded
 * by apt-get and unpacked under `.tools/debian/radosgw`, once.
 *
 * Whoever starts it holds a pipe to a shell script that runs beside the three. When the pipe closes, in whatever way its
 * holder ended, or one of the three ends, the script ends them all and removes the folder.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { access, constants, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const radosgwPackages = ['ceph-mon', 'ceph-osd', 'radosgw'];
const programs = ['monmaptool', 'ceph-mon', 'ceph-osd', 'radosgw-admin', 'radosgw'];
const systemFolders = ['/usr/bin', '/usr/sbin', '/bin', '/sbin'];
const unpackedFolder = join(
  dirname(dirname(dirname(fileURLToPath(import.meta.url)))),
  '.tools/debian/radosgw',
);
const fetchMs = 300_000;
const startTries = 600;
const startLookMs = 50;

export interface S3Account {
  readonly endpoint: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** @throws Error with one sentence if the programs are neither here nor to be had, or the server doesn't start */
export async function startRadosgw(): Promise<S3Account & { stop(): Promise<void> }> {
  const root = await programRoot();
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-radosgw-'));
  const ports = { gateway: await freePort(), monitor: await freePort() };
  const account = { accessKeyId: 'lazaret-test', secretAccessKey: randomBytes(16).toString('hex') };
  let server: ChildProcess | undefined;
  try {
    await prepare(folder, root, ports);
    server = await serve(folder, root, account);
    await answers(`http://127.0.0.1:${ports.gateway}`);
  } catch (error) {
    server?.stdin?.end();
    await rm(folder, { recursive: true, force: true });
    throw new Error('the S3 server of the tests does not start', { cause: error });
  }
  const running = server;
  return {
    ...account,
    endpoint: `http://127.0.0.1:${ports.gateway}`,
    stop: async () => {
      if (running.exitCode !== null) return;
      const ended = once(running, 'exit');
      running.stdin?.end();
      await ended;
    },
  };
}

/** The folder that stands for `/`. */
async function programRoot(): Promise<string> {
  if (await hasPrograms('')) return '';
  if (!(await hasPrograms(unpackedFolder))) await unpack();
  return unpackedFolder;
}

async function hasPrograms(root: string): Promise<boolean> {
  const found = await Promise.all(
    programs.map(async (program) => {
      const tries = systemFolders.map((folder) => access(`${root}${folder}/${program}`, constants.X_OK));
      return Promise.any(tries).then(
        () => true,
        () => false,
      );
    }),
  );
  return found.every(Boolean);
}

async function unpack(): Promise<void> {
  const parent = dirname(unpackedFolder);
  await mkdir(parent, { recursive: true });
  const work = await mkdtemp(join(parent, '.radosgw-'));
  try {
    const archives = join(work, '.archives');
    await mkdir(archives);
    const wanted = ['install', '-s', '--no-install-recommends', ...radosgwPackages];
    const { stdout } = await run('apt-get', wanted, { timeout: fetchMs });
    const packages = [...stdout.matchAll(/^Inst (\S+)/gm)].map((match) => match[1] ?? '');
    const download = ['-o', 'APT::Sandbox::User=root', '-q', 'download', ...packages];
    await run('apt-get', download, { cwd: archives, timeout: fetchMs });
    for (const archive of await readdir(archives))
      await run('dpkg', ['-x', join(archives, archive), work], { timeout: fetchMs });
    await rm(archives, { recursive: true });
    await rename(work, unpackedFolder).catch((error) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error; // another run was first
    });
  } catch (error) {
    const names = radosgwPackages.join(', ');
    throw new Error(`needs Debian's packages ${names}, which could not be had here`, { cause: error });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function environment(folder: string, root: string): Record<string, string> {
  const libraries = `${root}/usr/lib/x86_64-linux-gnu`;
  return {
    PATH: `${systemFolders.map((each) => root + each).join(':')}:/usr/bin:/bin`,
    LC_ALL: 'C',
    CEPH_CONF: join(folder, 'ceph.conf'),
    ...(root !== '' && { LD_LIBRARY_PATH: `${libraries}:${libraries}/ceph:${root}/lib/x86_64-linux-gnu` }),
  };
}

async function prepare(
  folder: string,
  root: string,
  ports: { gateway: number; monitor: number },
): Promise<void> {
  for (const name of ['mon', 'osd', 'sock', 'log']) await mkdir(join(folder, name));
  const fsid = randomUUID();
  await writeFile(join(folder, 'ceph.conf'), configuration(folder, root, { fsid, ...ports }));
  const options = { cwd: folder, env: environment(folder, root) };
  const map = join(folder, 'monmap');
  const monitor = `[v1:127.0.0.1:${ports.monitor}]`;
  await run('monmaptool', ['--create', '--fsid', fsid, '--addv', 'a', monitor, map], options);
  await run('ceph-mon', ['--mkfs', '-i', 'a', '--monmap', map], options);
}

function configuration(
  folder: string,
  root: string,
  { fsid, gateway, monitor }: { fsid: string; gateway: number; monitor: number },
): string {
  const libraries = `${root}/usr/lib/x86_64-linux-gnu`;
  const placed = root === '' ? [] : [`erasure code dir = ${libraries}/ceph/erasure-code`];
  if (root !== '')
    placed.push(`plugin dir = ${libraries}/ceph`, `osd class dir = ${libraries}/rados-classes`);
  return `[global]
fsid = ${fsid}
mon initial members = a
mon host = v1:127.0.0.1:${monitor}
public addr = 127.0.0.1
cluster addr = 127.0.0.1
auth cluster required = none
auth service required = none
auth client required = none
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
mon max pg per osd = 5000
osd crush chooseleaf type = 0
paxos propose interval = 0.05
paxos min wait = 0.01
ms bind msgr2 = false
run dir = ${folder}/sock
admin socket = ${folder}/sock/$name.asok
log file = ${folder}/log/$name.log
mon cluster log file = ${folder}/log/cluster.log
${placed.join('\n')}
osd objectstore = memstore
memstore device bytes = 4294967296
mon data avail warn = 1
mon data avail crit = 1
[mon.a]
mon data = ${folder}/mon
mon addr = v1:127.0.0.1:${monitor}
[osd.0]
osd data = ${folder}/osd
[client.rgw]
rgw frontends = beast endpoint=127.0.0.1:${gateway} tcp_nodelay=1
rgw dns name = localhost
rgw crypt require ssl = false
rgw thread pool size = 64
rgw max chunk size = 4194304
rgw multipart min part size = 4096
`;
}

/** The monitor may turn the object store away until it has settled, so that is tried again. */
const superviseScript = `
  folder=$1 uuid=$2 key=$3 secret=$4
  exec 3<&0 </dev/null
  stop() {
    kill -9 $watcher $gateway $osd $(cat osd.pid) $mon 2>/dev/null
    wait
    cd /
    rm -rf "$folder"
    exit "$1"
  }
  ceph-mon -f -i a >/dev/null 2>&1 & mon=$!
  ceph-osd -i 0 --mkfs --osd-uuid "$uuid" >/dev/null 2>&1 || stop 1
  ( while :; do ceph-osd -f -i 0 >/dev/null 2>&1 & echo $! >osd.pid; wait $!; sleep 0.1; done ) & osd=$!
  timeout 60 radosgw-admin user create --uid=test --display-name=test --access-key="$key" --secret-key="$secret" \
    >/dev/null 2>&1 || stop 1
  radosgw -f -n client.rgw >/dev/null 2>&1 & gateway=$!
  echo started
  ( cat <&3 >/dev/null; kill -9 $gateway ) 2>/dev/null & watcher=$!
  wait $gateway
  stop 0
`;

async function serve(
  folder: string,
  root: string,
  account: Omit<S3Account, 'endpoint'>,
): Promise<ChildProcess> {
  const { accessKeyId, secretAccessKey } = account;
  const script = ['-c', superviseScript, 'radosgw', folder, randomUUID(), accessKeyId, secretAccessKey];
  const server = spawn('/bin/sh', script, {
    cwd: folder,
    env: environment(folder, root),
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  });
  for await (const line of createInterface({ input: server.stdout })) if (line === 'started') return server;
  throw new Error('it ended at its start');
}

async function answers(url: string): Promise<void> {
  for (let left = startTries; left > 0; left -= 1) {
    if (
      await fetch(url).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return;
    await delay(startLookMs);
  }
  throw new Error('it does not answer');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}
