import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { credentialsFor, credentialsStore } from './credentials.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lazaret-cli-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const io = () => ({ env: { DOCKER_CONFIG: folder }, homeFolder: '/nowhere' });
const jo = { username: 'jo', password: 'pass:word' };

describe('docker’s credentials', () => {
  it('are none where docker has never logged in', async () => {
    expect(await credentialsFor(io(), 'localhost:5000')).toBeUndefined();
  });

  it('are written as docker writes them, for its user only, beside what is there', async () => {
    const file = join(folder, 'config.json');
    const before = { auths: { 'other:443': { auth: 'eDp5' } }, psFormat: 'table' };
    await writeFile(file, JSON.stringify(before));
    expect(await credentialsStore(io(), 'localhost:5000', jo)).toBe(file);
    const auth = Buffer.from('jo:pass:word').toString('base64');
    const after: unknown = JSON.parse(await readFile(file, 'utf8'));
    expect(after).toEqual({ ...before, auths: { ...before.auths, 'localhost:5000': { auth } } });
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await credentialsFor(io(), 'localhost:5000')).toEqual({ kind: 'basic', ...jo });
    expect(await credentialsFor(io(), 'other:443')).toEqual({ kind: 'basic', username: 'x', password: 'y' });
  });

  it('may be the identity token that docker login was given', async () => {
    const entry = { auth: Buffer.from('jo:').toString('base64'), identitytoken: 'a.b.c' };
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { 'localhost:5000': entry } }));
    expect(await credentialsFor(io(), 'localhost:5000')).toEqual({ kind: 'bearer', token: 'a.b.c' });
  });

  it('are refused with the file’s name when it is no JSON', async () => {
    await writeFile(join(folder, 'config.json'), '{');
    await expect(credentialsFor(io(), 'a')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining(join(folder, 'config.json')),
    });
  });

  it('fail clearly when the helper that the file names is not installed', async () => {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ credsStore: 'lazaret-none' }));
    await expect(credentialsFor(io(), 'a')).rejects.toMatchObject({
      code: 'unavailable',
      message: "docker-credential-lazaret-none can't be run",
    });
  });
});
