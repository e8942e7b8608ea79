/**
 * The client of the registry benchmark, a process of its own, so that neither server waits for the benchmark nor the
 * benchmark for its own requests. Forked; does what it is sent, one thing at a time, answers with the result or with the
 * text of what went wrong, and ends with whoever forked it.
 */
import { checked } from '../../src/contract/check.ts';
import type { Image } from '../../test/support/oci-layout.ts';
import { LoadJob, type LoadResult, type LoadTarget, type LoadWork } from './load-jobs.ts';
import { layersAtOnce, newImage, Pusher } from './pushes.ts';
import { randomBlob } from './random-blobs.ts';
import { RawGetter } from './raw-getter.ts';

process.once('disconnect', () => process.exit());
process.on('message', (message) => {
  done(message).then(
    (result) => process.send?.(result),
    (error: unknown) =>
      process.send?.(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  );
});

async function done(message: unknown): Promise<LoadResult> {
  const { target, work } = await checked(LoadJob, message, { where: 'job' });
  return workDone(target, work);
}

function workDone(target: LoadTarget, work: LoadWork): Promise<LoadResult> {
  switch (work.kind) {
    case 'manifests':
      return manifests(target, work);
    case 'pulls':
      return pulls(target, work);
    case 'pushes':
      return pushes(target, work);
    case 'images':
      return images(target, work);
    case 'tags':
      return tags(target, work);
    case 'lists':
      return lists(target, work);
  }
}

type Work<K extends LoadWork['kind']> = Extract<LoadWork, { kind: K }>;

async function manifests(
  target: LoadTarget,
  { tag, connections, forMs }: Work<'manifests'>,
): Promise<LoadResult> {
  const path = `/v2/${target.repository}/manifests/${tag}`;
  const getters = await Promise.all(Array.from({ length: connections }, () => RawGetter.open(target, path)));
  let count = 0;
  const result = await timed(async () => {
    const untilMs = performance.now() + forMs;
    const again = async (getter: RawGetter) => {
      for (; performance.now() < untilMs; count++) await getter.get();
    };
    await Promise.all(getters.map(again));
  });
  for (const getter of getters) getter.close();
  return { ...result, count };
}

async function pulls(target: LoadTarget, { digest, connections }: Work<'pulls'>): Promise<LoadResult> {
  const path = `/v2/${target.repository}/blobs/${digest}`;
  const getters = await Promise.all(Array.from({ length: connections }, () => RawGetter.open(target, path)));
  let count = 0;
  const result = await timed(async () => {
    for (const bytes of await Promise.all(getters.map((each) => each.get()))) count += bytes;
  });
  for (const getter of getters) getter.close();
  return { ...result, count };
}

async function pushes(target: LoadTarget, { sizeBytes, connections }: Work<'pushes'>): Promise<LoadResult> {
  const blobs = Array.from({ length: connections }, () => randomBlob(sizeBytes));
  await using pusher = new Pusher(target, connections);
  const result = await timed(async () => void (await Promise.all(blobs.map((blob) => pusher.blob(blob)))));
  return { ...result, count: connections * sizeBytes, digest: blobs.at(-1)?.digest ?? '' };
}

async function images(target: LoadTarget, { images: count, tag }: Work<'images'>): Promise<LoadResult> {
  const made: Image[] = [];
  for (let at = 0; at < count; at++) made.push(await newImage());
  await using pusher = new Pusher(target, layersAtOnce);
  const result = await timed(async () => {
    for (const image of made) await pusher.image(image, tag);
  });
  return { ...result, count };
}

async function tags(target: LoadTarget, { tags: count }: Work<'tags'>): Promise<LoadResult> {
  const image = await newImage(1);
  await using pusher = new Pusher(target, layersAtOnce);
  let left = count;
  const tag = async () => {
    while (left > 0) await pusher.manifest(image.manifest, `v1.0.${left--}`);
  };
  const result = await timed(async () => {
    await pusher.image(image, `v1.0.${left--}`);
    await Promise.all(Array.from({ length: layersAtOnce }, tag));
  });
  return { ...result, count };
}

async function lists(
  target: LoadTarget,
  { tags: expected, lists: count }: Work<'lists'>,
): Promise<LoadResult> {
  await using pusher = new Pusher(target, 1);
  const result = await timed(async () => {
    for (let list = 0; list < count; list++) {
      const found = await pusher.tags();
      if (found !== expected) throw new Error(`${target.url} lists ${found} tags, not ${expected}`);
    }
  });
  return { ...result, count };
}

async function timed(work: () => Promise<void>): Promise<Omit<LoadResult, 'count'>> {
  const beganCpu = process.cpuUsage();
  const beganMs = performance.now();
  await work();
  const ms = performance.now() - beganMs;
  const { user, system } = process.cpuUsage(beganCpu);
  return { ms, clientCores: (user + system) / 1000 / ms, digest: '' };
}
