/** What operators and background tasks do at home: inspect, quarantine, release, destroy, pin, collect. */
import { clockConfirm } from '../../src/actions/collect/clock-guard.ts';
import { collect } from '../../src/actions/collect/collect.ts';
import { quarantineApplyPlan } from '../../src/actions/quarantine/apply.ts';
import { destroyApply, destroyPlan } from '../../src/actions/quarantine/destroy.ts';
import { quarantineLegalHold } from '../../src/actions/quarantine/hold.ts';
import { type PlanAsk, quarantinePlan } from '../../src/actions/quarantine/plan.ts';
import { quarantineRelease } from '../../src/actions/quarantine/release.ts';
import { scrub } from '../../src/actions/scrub/scrub.ts';
import { hasCode } from '../../src/lib/errors.ts';
import type { Tx } from '../../src/records/db/database.ts';
import { holdRelease, holdSet } from '../../src/records/holds/holds.ts';
import { reviewAdd } from '../../src/records/holds/review.ts';
import { pathsEnsure } from '../../src/records/inventory/paths.ts';
import type { Quarantine } from '../../src/records/marks/quarantines.ts';
import { attempt, type Client } from './clients.ts';
import type { ModelQuarantine } from './model.ts';
import { Violation } from './scheduler.ts';
import { nameOfDigest, type SimulatedImage, type SimulatedLayer } from './universe.ts';

/** Writes what an inspection of the image's layers, or of some of them, finds: one file each, and the diff id. */
export async function inspectImage(client: Client, image: SimulatedImage): Promise<void> {
  const { world, deps } = client;
  const known = world.scheduler.random.chance(0.7) ? image.layers : image.layers.slice(0, 1);
  await attempt(client, `inspect ${image.name}`, () =>
    deps.database.transact(async (tx) => {
      const manifest = await tx.db
        .selectFrom('manifests')
        .select('id')
        .where('digest', '=', image.manifest.digest)
        .executeTakeFirst();
      if (!manifest) return;
      for (const layer of known) await keepInspection(tx, layer);
      await tx.db
        .updateTable('images')
        .set({ state: 'done' })
        .where('manifest_id', '=', manifest.id)
        .execute();
    }),
  );
}

async function keepInspection(tx: Tx, layer: SimulatedLayer): Promise<void> {
  const { db } = tx;
  const blob = await db
    .selectFrom('blobs')
    .select('id')
    .where('digest', '=', layer.digest)
    .where('state', '=', 'live')
    .executeTakeFirst();
  if (!blob) return;
  const done = { state: 'done' as const, diff_id: layer.diffId, inspected_at: tx.nowMs };
  const counts = { reason: null, uncompressed_bytes: 1, entries: 1, duration_ms: 1, os: null, version: 1 };
  await db
    .insertInto('inspections')
    .values({ blob_id: blob.id, ...counts, ...done })
    .onConflict((c) => c.column('blob_id').doUpdateSet(done))
    .execute();
  const pathId = (await pathsEnsure(tx, [layer.path])).get(layer.path) ?? 0;
  await db
    .insertInto('layer_files')
    .values({ blob_id: blob.id, path_id: pathId, kind: 'file', size_bytes: 1, mode: 0o644, sha256: null })
    .onConflict((c) => c.doNothing())
    .execute();
  const data = { digest: layer.digest, state: 'done', diffId: layer.diffId };
  tx.emit({ type: 'layer.inspected', lane: 'content', subject: layer.digest, actor: 'inspector', data });
}

/** What matches, or what is named; planned, and applied exactly so. */
export async function setQuarantine(client: Client): Promise<void> {
  const { world, op, deps } = client;
  const { model, scheduler } = world;
  const account = scheduler.random.chance(0.5) ? null : 'acme';
  const { what, ask } = questionOf(client, account);
  await attempt(client, `quarantine ${what} for ${account ?? 'all'}`, async () => {
    // What is named comes from its author: so that each can be told from the others.
    const author = `sec-${op.id}`;
    const plan = await quarantinePlan(deps, { question: ask, reach: 'layer', account, author });
    const quarantine: ModelQuarantine = {
      cause: plan.request.cause,
      scopeAccount: account,
      marks: plan.request.marks,
      state: 'possible',
    };
    model.quarantines.push(quarantine);
    model.quarantineChanged(quarantine, 'possible');
    op.onDeath.add(() => model.quarantineChanged(quarantine, 'possible'));
    try {
      const applied = await quarantineApplyPlan(deps, { plan: plan.name, reason: 'INC-42', author: 'sec' });
      if (quarantine.state === 'possible') model.quarantineChanged(quarantine, 'active');
      assertNoted(world.home.disk.contents.notes, applied);
    } catch (error) {
      // Refused before anything was done.
      if (hasCode(error, 'planStale')) model.quarantineChanged(quarantine, 'released');
      throw error;
    }
  });
}

function questionOf({ world }: Client, account: string | null): { what: string; ask: PlanAsk['question'] } {
  const { random } = world.scheduler;
  const { layers, pushables, repositories } = world.settings.focus;
  const way = random.weighted({ matching: 6, layer: 2, manifest: 2, repository: 1 });
  if (way === 'repository') {
    const { name } = random.pick(repositories);
    return { what: name, ask: { targets: { repositories: [name] } } };
  }
  if (way === 'manifest') {
    const { name, manifest } = random.pick(pushables);
    return { what: name, ask: { targets: { manifests: [manifest.digest] } } };
  }
  const layer = random.pick(layers);
  if (way === 'layer') return { what: layer.name, ask: { targets: { layers: [layer.digest] } } };
  const scope = account === null ? {} : { accounts: [account] };
  return { what: layer.path, ask: { criteria: { file: { path: layer.path, in: 'layer' } }, scope } };
}

/** Of the quarantines that the model knows, by the name that the region gave them. */
function pickQuarantine({ world }: Client): { model: ModelQuarantine; name: string } | undefined {
  const rows = world.home.checks.quarantines().filter((row) => row.origin === 'home');
  const known = rows.flatMap((row) => {
    const model = world.model.quarantines.find((each) => each.cause === row.cause);
    return model && model.state !== 'released' ? [{ model, name: row.name }] : [];
  });
  return known.length === 0 ? undefined : world.scheduler.random.pick(known);
}

export async function release(client: Client): Promise<void> {
  const { world, deps } = client;
  const picked = pickQuarantine(client);
  if (!picked) return;
  world.model.quarantineChanged(picked.model, 'ending');
  const refused = await attempt(client, `release ${picked.name}`, async () => {
    const released = await quarantineRelease(deps, {
      quarantine: picked.name,
      reason: 'fixed',
      author: 'sec',
    });
    world.model.quarantineChanged(picked.model, 'released');
    assertNoted(world.home.disk.contents.notes, released);
  });
  if (refused?.code === 'conflict') world.model.quarantineChanged(picked.model, 'released');
}

/** Ends the retention at once. */
export async function destroy(client: Client): Promise<void> {
  const { world, deps } = client;
  const picked = pickQuarantine(client);
  if (!picked) return;
  await attempt(client, `destroy ${picked.name}`, async () => {
    const plan = await destroyPlan(deps, { quarantine: picked.name, author: 'sec' });
    const destroyed = await destroyApply(deps, { plan: plan.name, author: 'sec' });
    assertNoted(world.home.disk.contents.notes, destroyed);
  });
}

/** Sets a legal hold, or lifts the one that there is. */
export async function holdLegally(client: Client): Promise<void> {
  const picked = pickQuarantine(client);
  if (!picked) return;
  const { world, deps } = client;
  const { name } = picked;
  const hold = world.scheduler.random.chance(0.7);
  await attempt(client, `${hold ? 'hold' : 'hold no longer'} ${name}`, async () => {
    const held = await quarantineLegalHold(deps, {
      quarantine: name,
      hold,
      reason: 'a court',
      author: 'sec',
    });
    assertNoted(world.home.disk.contents.notes, held);
  });
}

/** What was acknowledged must survive the loss of the database. */
function assertNoted(notes: ReadonlyMap<string, string>, { uid, name, version }: Quarantine): void {
  if (!notes.has(`quarantine/${uid}/${version}.json`))
    throw new Violation(`P2: ${name} was acknowledged at version ${version} without a note of it`);
}

/** A deployment, as far as collection is concerned: a hold without an end on the manifest's blobs, then not any more. */
export async function pin(client: Client): Promise<void> {
  const { world, deps } = client;
  const { random } = world.scheduler;
  const { digest } = random.pick(world.settings.focus.blobs);
  const holder = 'a person';
  const drop = random.chance(0.5);
  await attempt(client, `${drop ? 'unpin' : 'pin'} ${nameOfDigest(digest)}`, () =>
    deps.database.transact(async (tx) => {
      if (drop) {
        await holdRelease(tx, { kind: 'pin', holder, digest });
        await reviewAdd(tx, 'blob', digest, 'no longer pinned');
      } else await holdSet(tx, { kind: 'pin', holder, digest, expiresAt: null });
    }),
  );
}

/** An operator has looked at the clock. */
export async function confirmClock(client: Client): Promise<void> {
  await attempt(client, 'confirm the clock', () => clockConfirm(client.deps, 'sec'));
}

export async function collectOnce(client: Client): Promise<void> {
  await attempt(client, 'collect', () => collect(client.deps));
}

/** Finds what no row names, and lets go of it. */
export async function scrubOnce(client: Client): Promise<void> {
  const ask = { repair: true, verify: false, actor: 'sec' };
  await attempt(client, 'scrub', async () => {
    await Array.fromAsync(scrub(client.deps, ask, new AbortController().signal));
  });
}
