import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildImage, buildLayer, writeLayout } from '../../../test/support/oci-layout.ts';
import { type App, type RuntimeWorld, runtimeContract } from '../../../test/support/runtime-contract.ts';
import { ManualClock } from '../../lib/clock.ts';
import { type FakeBehaviour, fakeMachine, openFakeRuntime } from './fake.ts';

const behaviours: Readonly<Record<App, FakeBehaviour>> = {
  obedient: {},
  stubborn: { ignoresTerm: true },
  brief: { endsAtOnce: { exitCode: 3, output: 'I give up' } },
};

async function fakeWorld(): Promise<RuntimeWorld> {
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-fake-'));
  const clock = new ManualClock();
  const machine = fakeMachine();
  const runtime = openFakeRuntime({ clock, machine });
  return {
    runtime,
    reopen: async () => openFakeRuntime({ clock, machine }),
    image: async (app) => {
      const image = buildImage({ layers: [await buildLayer([{ path: 'app', content: app }])] });
      await writeLayout(join(folder, app), image);
      runtime.behave(image.manifest.digest, behaviours[app]);
      return { layoutFolder: join(folder, app), manifest: image.manifest.digest };
    },
    spec: () => ({ env: {}, hostname: 'test' }),
    ready: async () => {},
    elapse: (ms) => clock.advance(ms),
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

runtimeContract('fake', fakeWorld);

test('the fake runtime fails as told, ends containers as told and shows what it was given', async () => {
  const world = await fakeWorld();
  const clock = new ManualClock();
  const runtime = openFakeRuntime({ clock });
  try {
    await runtime.prepare('one', await world.image('obedient'));
    runtime.failNext('start');
    await expect(runtime.start('one', world.spec())).rejects.toThrow('start fails as told');
    await runtime.start('one', { env: { PORT: '1' }, hostname: 'h' });
    expect(runtime.specOf('one')).toEqual({ env: { PORT: '1' }, hostname: 'h' });
    clock.advance(5);
    runtime.exit('one', 9, 'out of memory');
    expect(await runtime.list()).toMatchObject([
      { state: 'exited', exitCode: 9, lastOutput: 'out of memory', exitedAt: clock.wallMs() },
    ]);
  } finally {
    await world.close();
  }
});
