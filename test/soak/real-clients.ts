/**
 * The clients that people have, each in a folder of its own: skopeo, and podman and buildah where the machine has them.
 * What they say is judged by the same promises as everything else.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianTools } from '../../scripts/debian-tools.ts';
import { writeLayout } from '../support/oci-layout.ts';
import { manifestKey, tagKey } from './promises.ts';
import { type Actor, anyServer, type Storm, violate } from './storm.ts';
import { imagesOf, type Pushable, repositories, type SoakImage, tags } from './universe.ts';

const run = promisify(execFile);
const commandMs = 60_000;

export interface RealClients {
  readonly skopeo: string;
  /** podman, buildah: whichever is there. */
  readonly stored: readonly string[];
}

export async function findRealClients(): Promise<RealClients> {
  const skopeo = join(await debianTools(['skopeo']), 'skopeo');
  const stored: string[] = [];
  for (const name of ['podman', 'buildah'])
    if (process.getuid?.() === 0 && (await run('which', [name]).catch(() => undefined))) stored.push(name);
  return { skopeo, stored };
}

interface Ran {
  readonly ok: boolean;
  readonly text: string;
  readonly startedAt: number;
  readonly endedAt: number;
}

export async function realPush(actor: Actor, clients: RealClients): Promise<void> {
  const { storm, random } = actor;
  const { promises } = storm;
  const repository = random.pick(repositories);
  const tag = random.pick(tags);
  const image = random.pick(storm.universe.images);
  const server = anyServer(actor);
  const manifest = promises.begin(manifestKey(repository, image.manifest.digest), 'here');
  const tagged = promises.begin(tagKey(repository, tag), image.manifest.digest);
  const reference = `${new URL(server.url).host}/${repository}:${tag}`;
  const layout = await layoutOf(storm, image);
  const ran = await command(clients.skopeo, [
    ...skopeoCopy,
    '--dest-tls-verify=false',
    ...['--dest-creds', `admin:${storm.password}`],
    ...[`oci:${layout}:latest`, `docker://${reference}`],
  ]);
  if (!ran.ok) {
    tagged.end('lost');
    manifest.end('lost');
    const excused =
      storm.fleet.wasAway(server, ran) ||
      storm.quarantines.possible(repository, image, ran) ||
      tooSlow.test(ran.text);
    if (!excused) violate(storm, `a real push to ${reference} failed: ${ran.text.slice(-600)}`);
    return;
  }
  tagged.end(manifest.contested() ? 'doubtful' : 'done');
  manifest.end('done');
  storm.counts.realPushes += 1;
  if (storm.quarantines.certainForPush(repository, image, ran))
    violate(storm, `P2: a real client pushed ${reference} under a quarantine`);
}

/** It took longer than a blob is promised to stay. */
const tooSlow = /blob unknown|has no blob/i;

const skopeoCopy = ['--insecure-policy', 'copy', '--quiet', '--preserve-digests'];

/** By tag or by digest, to a folder; then every digest in it is verified. */
export async function realPull(actor: Actor, clients: RealClients): Promise<void> {
  const { storm, random } = actor;
  const { promises } = storm;
  const repository = random.pick(repositories);
  const tag = random.pick(tags);
  const key = tagKey(repository, tag);
  const seen = promises.seen(key);
  const server = anyServer(actor);
  const folder = join(storm.folder, `pulled-${random.below(1_000_000)}`);
  await mkdir(folder);
  const from = `docker://${new URL(server.url).host}/${repository}:${tag}`;
  const access = ['--src-tls-verify=false', '--src-creds', `admin:${storm.password}`];
  const ran = await command(clients.skopeo, [...skopeoCopy, '--all', ...access, from, `dir:${folder}`]);
  const what = storm.universe.manifest(seen.value ?? '');
  if (ran.ok) {
    storm.counts.realPulls += 1;
    await assertWhole(storm, folder, from);
    if (what && promises.still(key, seen) && storm.quarantines.certain(repository, what, ran))
      violate(storm, `P2: a real client pulled ${from} under a quarantine`);
  } else if (what && promises.still(key, seen) && !isExcused(storm, { repository, what, ran, server, seen }))
    violate(storm, `a real pull of ${from} failed: ${ran.text.slice(-600)}`);
  await rm(folder, { recursive: true, force: true });
}

function isExcused(
  { fleet, quarantines, promises }: Storm,
  of: {
    repository: string;
    what: Pushable;
    ran: Ran;
    server: ReturnType<typeof anyServer>;
    seen: { since: number };
  },
): boolean {
  const { repository, what, ran, server, seen } = of;
  // An index may name images that nobody pushed to the end.
  const sparse = imagesOf(what).some(
    (image) => promises.seen(manifestKey(repository, image.manifest.digest)).value !== 'here',
  );
  return (
    sparse ||
    fleet.wasAway(server, ran) ||
    quarantines.possible(repository, what, ran) ||
    quarantines.mayHaveTaken(repository, what, seen.since)
  );
}

/** skopeo's `dir:` names each blob's file by its digest. */
async function assertWhole(storm: Storm, folder: string, from: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^[0-9a-f]{64}$/.test(name)) continue;
    const found = createHash('sha256')
      .update(await readFile(join(folder, name)))
      .digest('hex');
    if (found !== name) violate(storm, `broken: a real pull of ${from} brought ${found} as ${name}`);
  }
}

/**
 * podman and buildah compress anew what they push, so they have a repository of their own, and what they push is what they
 * must get back. Nobody deletes there.
 */
export async function storedRound(actor: Actor, clients: RealClients, program: string): Promise<void> {
  const { storm, random } = actor;
  const [root, runroot] = [join(storm.folder, `${program}-s`), join(storm.folder, `${program}-r`)];
  const global = ['--root', root, '--runroot', runroot, '--storage-driver', 'vfs'];
  const image = random.pick(storm.universe.images);
  const server = anyServer(actor);
  const repository = `acme/${program}`;
  const reference = `${new URL(server.url).host}/${repository}:${random.below(4)}`;
  const store = `containers-storage:[vfs@${root}+${runroot}]${reference}`;
  const layout = await layoutOf(storm, image);
  const access = ['--tls-verify=false', '--creds', `admin:${storm.password}`];
  const copied = await command(clients.skopeo, [
    ...['--insecure-policy', 'copy', '--quiet', `oci:${layout}:latest`, store],
  ]);
  if (!copied.ok) throw new Error(`the image could not be stored for ${program}: ${copied.text}`);
  const steps = [
    [...global, 'push', ...access, reference, `docker://${reference}`],
    [...global, 'rmi', '--all', '--force'],
    [...global, 'pull', ...access, reference],
    [...global, 'rmi', '--all', '--force'],
  ];
  for (const step of steps) {
    const ran = await command(program, step);
    if (ran.ok && step.includes('push')) storm.counts.realPushes += 1;
    if (ran.ok && step.includes('pull')) storm.counts.realPulls += 1;
    if (ran.ok) continue;
    const excused =
      storm.fleet.wasAway(server, ran) ||
      storm.quarantines.possible(repository, image, ran) ||
      storm.quarantines.mayHaveTaken(repository, image, 0);
    if (!excused && !tooSlow.test(ran.text))
      violate(storm, `${program} ${step.slice(6).join(' ')} failed: ${ran.text.slice(-600)}`);
    await command(program, [...global, 'rmi', '--all', '--force']);
    return;
  }
}

async function layoutOf({ folder }: Storm, image: SoakImage): Promise<string> {
  const layout = join(folder, `layout-${image.manifest.digest.slice(7, 19)}`);
  const there = await access(join(layout, 'index.json')).then(
    () => true,
    () => false,
  );
  if (!there) {
    await mkdir(layout, { recursive: true });
    await writeLayout(layout, image);
  }
  return layout;
}

async function command(program: string, argv: readonly string[]): Promise<Ran> {
  const startedAt = performance.now();
  try {
    await run(program, [...argv], { timeout: commandMs, killSignal: 'SIGKILL' });
    return { ok: true, text: '', startedAt, endedAt: performance.now() };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { ok: false, text, startedAt, endedAt: performance.now() };
  }
}
