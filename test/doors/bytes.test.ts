import { expect, it } from 'vitest';
import { routes } from '../../src/contract/routes.ts';

/** A golden list: whoever adds a route that answers with bytes asks a door there, and a test of that door. */
it('of the management routes only forensics and replication answer with the bytes of blobs', () => {
  // Written from rows, not read from the blob store: a bill of materials is metadata of an image, as its packages are.
  const fromRows = ['advisoryExport', 'imageSbom'];
  const names = routes.filter((route) => route.answer === 'bytes').map((route) => route.name);
  expect(names.filter((name) => !fromRows.includes(name)).sort()).toEqual([
    'forensicBlob',
    'replicationBlob',
  ]);
});
