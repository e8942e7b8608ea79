import { describe, expect, it } from 'vitest';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import { parseImageConfig } from './config.ts';
import { digestOf } from './digest.ts';

const diffId = digestOf('layer');
const minimal = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [diffId] } };

function problem(document: unknown): LazaretError {
  try {
    parseImageConfig(document instanceof Uint8Array ? document : Buffer.from(JSON.stringify(document)));
  } catch (error) {
    if (error instanceof LazaretError) return error;
    throw error;
  }
  throw new Error('the config was accepted');
}

describe('parseImageConfig', () => {
  it('reads what runs an image and ignores what it does not know', () => {
    const document = {
      ...minimal,
      variant: 'v2',
      created: '2026-01-01T00:00:00Z',
      history: [{ created_by: 'x' }, { empty_layer: true }],
      config: {
        User: 'app',
        Env: ['A=1'],
        Entrypoint: ['/app'],
        Cmd: null,
        WorkingDir: '/srv',
        Labels: { a: 'b' },
        ExposedPorts: { '8080/tcp': {} },
        StopSignal: 'SIGTERM',
        Healthcheck: { Test: ['NONE'] },
      },
      'moby.buildkit.cache.v0': {},
    };
    expect(parseImageConfig(Buffer.from(JSON.stringify(document)))).toEqual({
      architecture: 'amd64',
      os: 'linux',
      variant: 'v2',
      created: '2026-01-01T00:00:00Z',
      diffIds: [diffId],
      history: ['x', ''],
      config: {
        user: 'app',
        env: ['A=1'],
        entrypoint: ['/app'],
        cmd: [],
        workingDir: '/srv',
        labels: { a: 'b' },
        exposedPorts: ['8080/tcp'],
        stopSignal: 'SIGTERM',
      },
    });
  });

  it('reads a config that says only what it must', () => {
    const parsed = parseImageConfig(Buffer.from(JSON.stringify({ ...minimal, config: null, history: null })));
    expect(parsed).toMatchObject({
      diffIds: [diffId],
      history: [],
      config: { user: '', env: [], labels: {} },
    });
  });

  it.each([
    ['no JSON', Buffer.from('x'), 'config'],
    ['no rootfs', { ...minimal, rootfs: undefined }, 'config.rootfs'],
    ['another rootfs type', { ...minimal, rootfs: { type: 'x', diff_ids: [] } }, 'config.rootfs.type'],
    ['no diff_ids', { ...minimal, rootfs: { type: 'layers' } }, 'config.rootfs.diff_ids'],
    [
      'a diff id that is no digest',
      { ...minimal, rootfs: { type: 'layers', diff_ids: [diffId, 'x'] } },
      'config.rootfs.diff_ids[1]',
    ],
    [
      'a diff id that is no text',
      { ...minimal, rootfs: { type: 'layers', diff_ids: [7] } },
      'config.rootfs.diff_ids[0]',
    ],
    ['an environment that is no list', { ...minimal, config: { Env: 'A=1' } }, 'config.config.Env'],
    ['no architecture', { ...minimal, architecture: undefined }, 'config.architecture'],
  ])('refuses %s, naming the path', (_, document, path) => {
    expect(problem(document)).toMatchObject({ code: 'manifestInvalid', detail: { path } });
  });

  it('refuses a config over the size limit', () => {
    expect(problem(Buffer.alloc(limits.configBytesMax + 1)).code).toBe('tooLarge');
  });
});
