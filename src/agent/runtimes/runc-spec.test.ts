import { expect, test } from 'vitest';
import { imageProcess, runcSpec } from './runc-spec.ts';

const container = { env: { PORT: '80', GREETING: 'ahoy' }, hostname: 'island' };

function read(process: Record<string, unknown>) {
  return imageProcess(Buffer.from(JSON.stringify({ process })));
}

const image = read({
  args: ['/app', '--serve'],
  cwd: '/srv',
  user: { uid: 1000, gid: 1001, additionalGids: [5] },
  env: ['PATH=/bin', 'GREETING=hello', 'EQUATION=a=b', 'nonsense'],
});

test('the deployment wins over the image in the environment', () => {
  expect(runcSpec(image, container, { kind: 'root', cgroupsPath: '/c' })).toMatchObject({
    process: {
      args: ['/app', '--serve'],
      cwd: '/srv',
      env: ['PATH=/bin', 'GREETING=ahoy', 'EQUATION=a=b', 'PORT=80'],
      noNewPrivileges: true,
      terminal: false,
    },
    hostname: 'island',
  });
});

test('the network is always the host’s; root has a cgroup and the image’s user, others a user namespace', () => {
  const root = runcSpec(image, container, { kind: 'root', cgroupsPath: '/c' });
  expect(root).toMatchObject({
    process: { user: { uid: 1000, gid: 1001, additionalGids: [5] } },
    linux: {
      cgroupsPath: '/c',
      namespaces: [{ type: 'pid' }, { type: 'ipc' }, { type: 'uts' }, { type: 'mount' }],
    },
  });
  const rootless = runcSpec(image, container, { kind: 'rootless', uid: 7, gid: 8 });
  expect(rootless).toMatchObject({
    process: { user: { uid: 0, gid: 0 } },
    linux: {
      namespaces: expect.arrayContaining([{ type: 'user' }]),
      uidMappings: [{ containerID: 0, hostID: 7, size: 1 }],
      gidMappings: [{ containerID: 0, hostID: 8, size: 1 }],
    },
  });
  expect(rootless).not.toHaveProperty('linux.cgroupsPath');
  expect(rootless).not.toHaveProperty('linux.resources');
});

test('an image that names nothing to execute is refused', () => {
  expect(() => read({ user: { uid: 0, gid: 0 } })).toThrow(/names nothing to execute/);
});
