import { LazaretError } from '../../lib/errors.ts';

/** An id becomes the name of a folder, of a cgroup and of a runc container. @throws invalid */
export function checkContainerId(id: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$/.test(id)) return id;
  throw new LazaretError('invalid', `'${id.slice(0, 160)}' can't be the id of a container`, {
    detail: { path: 'id' },
  });
}
