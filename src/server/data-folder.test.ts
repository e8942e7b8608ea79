import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { shareDataFolder, takeDataFolder } from './data-folder.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazaret-data-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('a data folder is taken by one server, with the readers beside it, and free when all have ended', () => {
  const free = takeDataFolder(folder);
  const readers = [shareDataFolder(folder), shareDataFolder(folder)];
  expect(() => takeDataFolder(folder)).toThrow(`another server uses the data folder ${folder}`);
  for (const end of readers) end();
  free();
  takeDataFolder(folder)();
});

it('a reader that has outlived its server refuses the next one, which says so', () => {
  const free = takeDataFolder(folder);
  const endReader = shareDataFolder(folder);
  free();
  const said = `reading processes of a server that has ended still use the data folder ${folder}`;
  expect(() => takeDataFolder(folder, 1)).toThrow(said);
  endReader();
  takeDataFolder(folder, 1)();
});
