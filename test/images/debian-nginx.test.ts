import { expect, test } from 'vitest';
import { describeRealImage } from './real-image.ts';
import { sameFindings } from './same-findings.ts';
import { sameAsInside } from './same-inside.ts';

/** What the last layer takes away: two folders and a link. */
const removed = ['etc/nginx/sites-enabled/default', 'usr/share/man', 'usr/share/nginx/html'];

describeRealImage({ name: 'debian-nginx' }, (image) => {
  sameAsInside(image);
  sameFindings(image, ['Debian:12']);

  test('has what its last layer takes away in the layers below, and not in the image', async () => {
    const isRemoved = (path: string) => removed.some((each) => path === each || path.startsWith(`${each}/`));
    const whiteouts = (await image().filesOfLayer(2)).filter(({ kind }) => kind === 'whiteout');
    expect(whiteouts.map(({ path }) => path).sort()).toEqual(removed);
    const below = [...(await image().filesOfLayer(0)), ...(await image().filesOfLayer(1))];
    const hidden = below.filter(({ path }) => isRemoved(path));
    expect(removed.filter((path) => !hidden.some((file) => file.path === path))).toEqual([]);
    expect(hidden.filter(({ shown }) => shown)).toEqual([]);
    expect(image().files.filter(({ path }) => isRemoved(path))).toEqual([]);
  });

  test('has the secrets that were put into it, and no others', () => {
    const found = image().secrets.map(({ kind, path, line, shown }) => ({ kind, path, line, shown }));
    expect(found).toEqual([
      { kind: 'aws-access-key', path: 'root/.aws/credentials', line: 2, shown: true },
      { kind: 'aws-secret-key', path: 'root/.aws/credentials', line: 3, shown: true },
      { kind: 'private-key', path: 'srv/server.key', line: 1, shown: true },
    ]);
  });

  test('has a config that says how it is run', () => {
    expect(image().shown.config).toMatchObject({
      exposedPorts: ['8080/tcp'],
      labels: { 'org.opencontainers.image.title': 'debian-nginx' },
    });
  });
});
