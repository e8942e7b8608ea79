/** What every Runtime promises. A driver's test is a call of `runtimeContract` with its world. */
import { rm } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { layoutBlob } from '../../src/agent/runtimes/image-layout.ts';
import type { ContainerSpec, ImageSource, Runtime } from '../../src/agent/runtimes/runtime.ts';
import { hasCode, LazaretError } from '../../src/lib/errors.ts';
import { digestOf } from '../../src/oci/digest.ts';

/** `obedient` ends on TERM with code 0 · `stubborn` ignores TERM · `brief` prints `I give up` and ends with code 3 */
export type App = 'obedient' | 'stubborn' | 'brief';

export interface RuntimeWorld {
  readonly runtime: Runtime;
  /** Another runtime over the same containers, as a restarted agent opens it. */
  reopen(): Promise<Runtime>;
  /** A layout of its own that holds this app's image. */
  image(app: App): Promise<ImageSource>;
  spec(): ContainerSpec;
  /** Resolves when the app that was started last handles signals. */
  ready(): Promise<void>;
  /** Lets time pass where time is moved by hand. */
  elapse(ms: number): void;
  close(): Promise<void>;
}

const patientMs = 20_000;

export function runtimeContract(name: string, open: () => Promise<RuntimeWorld>): void {
  describe(`runtime ${name}`, () => {
    let world: RuntimeWorld;
    beforeEach(async () => {
      world = await open();
    });
    afterEach(async () => world.close());

    const run = async (id: string, app: App) => {
      await world.runtime.prepare(id, await world.image(app));
      await world.runtime.start(id, world.spec());
      if (app !== 'brief') await world.ready();
    };
    const only = async (runtime = world.runtime) => {
      const list = await runtime.list();
      expect(list).toHaveLength(1);
      return list[0];
    };

    test('has nothing at first', async () => {
      expect(await world.runtime.list()).toEqual([]);
    });

    test('lists a container as prepared when it was not started yet', async () => {
      const image = await world.image('obedient');
      await world.runtime.prepare('one', image);
      await world.runtime.prepare('one', image);
      expect(await only()).toEqual({ id: 'one', state: 'prepared' });
    });

    test('refuses to prepare a container again from another image', async () => {
      await world.runtime.prepare('one', await world.image('obedient'));
      await expectCode(world.runtime.prepare('one', await world.image('brief')), 'conflict');
    });

    test('leaves a container that runs as it is when it is started again', async () => {
      await run('one', 'obedient');
      const before = await only();
      expect(before).toMatchObject({ id: 'one', state: 'running' });
      await Promise.all([world.runtime.start('one', world.spec()), world.runtime.start('one', world.spec())]);
      expect(await only()).toEqual(before);
    });

    test('finds a running container again when the agent was restarted, and can stop it', async () => {
      await run('one', 'obedient');
      const before = await only();
      const reopened = await world.reopen();
      expect(await only(reopened)).toEqual(before);
      expect(await reopened.stop('one', patientMs)).toMatchObject({ state: 'exited', exitCode: 0 });
    });

    test('stops an app by TERM when it handles it', async () => {
      await run('one', 'obedient');
      const status = await world.runtime.stop('one', patientMs);
      expect(status).toMatchObject({ id: 'one', state: 'exited', exitCode: 0 });
      expect(status.exitedAt).toBeGreaterThanOrEqual(status.startedAt ?? Number.POSITIVE_INFINITY);
      expect(await only()).toEqual(status);
    });

    test('stops an app by KILL after the deadline when it ignores TERM', async () => {
      await run('one', 'stubborn');
      const stopping = world.runtime.stop('one', 200);
      world.elapse(200);
      expect(await stopping).toMatchObject({ state: 'exited', exitCode: 137 });
    });

    test('answers with the same status when what is stopped does not run', async () => {
      await run('one', 'obedient');
      const status = await world.runtime.stop('one', patientMs);
      expect(await world.runtime.stop('one', patientMs)).toEqual(status);
      await world.runtime.prepare('two', await world.image('obedient'));
      expect(await world.runtime.stop('two', patientMs)).toEqual({ id: 'two', state: 'prepared' });
      expect(await world.runtime.stop('absent', patientMs)).toEqual({ id: 'absent', state: 'exited' });
    });

    test('sees exit code and last output of an app that ends by itself', async () => {
      await run('one', 'brief');
      await expect.poll(() => only(), { timeout: patientMs }).toMatchObject({ state: 'exited' });
      expect(await only()).toMatchObject({ exitCode: 3, lastOutput: 'I give up' });
    });

    test('starts a container again that has ended', async () => {
      await run('one', 'obedient');
      await world.runtime.stop('one', patientMs);
      await world.runtime.start('one', world.spec());
      await world.ready();
      const again = await only();
      expect(again).toMatchObject({ state: 'running' });
      expect(again).not.toHaveProperty('exitCode');
      await world.runtime.stop('one', patientMs);
    });

    test('removes a container that does not run, and nothing when there is none', async () => {
      await run('one', 'obedient');
      await expectCode(world.runtime.remove('one'), 'conflict');
      await world.runtime.stop('one', patientMs);
      await world.runtime.remove('one');
      await world.runtime.remove('one');
      expect(await world.runtime.list()).toEqual([]);
    });

    test('refuses to start what is not prepared', async () => {
      await expectCode(world.runtime.start('one', world.spec()), 'notFound');
    });

    test('refuses an image whose manifest or config is not in the layout, and prepares nothing', async () => {
      const { layoutFolder, manifest } = await world.image('obedient');
      const absent = digestOf('absent');
      await expectCode(world.runtime.prepare('one', { layoutFolder, manifest: absent }), 'invalid');
      await rm(layoutBlob(layoutFolder, manifest));
      await expectCode(world.runtime.prepare('one', { layoutFolder, manifest }), 'invalid');
      expect(await world.runtime.list()).toEqual([]);
    });

    test('refuses an id that is no name of a folder', async () => {
      await expectCode(world.runtime.prepare('../one', await world.image('obedient')), 'invalid');
    });
  });
}

async function expectCode(promise: Promise<unknown>, code: LazaretError['code']): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LazaretError);
  expect(hasCode(error, code), String(error)).toBe(true);
}
