import { execFile } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { promisify } from 'node:util';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianTools } from '../../scripts/debian-tools.ts';
import { type CertificateAuthority, openAuthority } from '../../test/support/certificates.ts';
import { lazaret } from '../../test/support/command-line.ts';
import { startTestServer, type TestServer } from '../../test/support/server.ts';
import { call } from '../client/client.ts';
import { whoami } from '../contract/access.ts';
import { tlsPair } from './tls.ts';

let authority: CertificateAuthority;
let server: TestServer;
let curl = '';
const logged: string[] = [];
const files = { cert: '', key: '' };

/** Puts a certificate, and a key, where the server reads them. */
async function install(cert: string, key: string): Promise<void> {
  await copyFile(join(authority.folder, cert), files.cert);
  await copyFile(join(authority.folder, key), files.key);
}

beforeAll(async () => {
  authority = await openAuthority();
  curl = join(await debianTools(['curl']), 'curl');
  for (const name of ['first', 'second']) await authority.issue(name);
  Object.assign(files, { cert: join(authority.folder, 'tls.pem'), key: join(authority.folder, 'tls.key') });
  await install('first.pem', 'first.key');
  const environment = { LAZARET_LISTEN_TLS_CERT: files.cert, LAZARET_LISTEN_TLS_KEY: files.key };
  const logger = pino({ level: 'info' }, { write: (line: string) => void logged.push(line) });
  server = await startTestServer({ environment, logger });
});
afterAll(async () => {
  await server.close();
  await authority.close();
});

/** A connection of its own. */
async function open(): Promise<TLSSocket> {
  const ca = await readFile(authority.caFile, 'utf8');
  const socket = connect({ host: 'localhost', port: Number(new URL(server.url).port), ca });
  await new Promise((resolve, reject) => socket.once('secureConnect', resolve).once('error', reject));
  return socket;
}

async function nameShown(): Promise<unknown> {
  const socket = await open();
  const { subject } = socket.getPeerCertificate();
  socket.destroy();
  return subject.CN;
}

/** One request on a connection that stays open. @returns the status line */
function ask(socket: TLSSocket): Promise<string> {
  const answer = new Promise<string>((resolve) => {
    socket.once('data', (data) => resolve(data.toString().split('\r\n')[0] ?? ''));
  });
  socket.write('GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n');
  return answer;
}

describe('a server with a certificate', () => {
  it('speaks TLS to clients that trust its authority', async () => {
    expect(server.url).toMatch(/^https:\/\/localhost:/);
    const { stdout } = await promisify(execFile)(curl, [
      ...['--silent', '--show-error', '--cacert', authority.caFile],
      `${server.url}/readyz`,
    ]);
    expect(stdout).toBe('{"status":"ready"}');
    const challenge = await promisify(execFile)(curl, [
      ...['--silent', '--head', '-X', 'GET', '--cacert', authority.caFile],
      `${server.url}/v2/`,
    ]);
    expect(challenge.stdout).toContain(`realm="${server.url}/v2/token"`);
  });

  it('is reached by the command line with --ca, and not without', async () => {
    const named = await lazaret(server.admin, 'account', 'ls', '--ca', authority.caFile);
    expect(named.text).toContain('default');
    await expect(lazaret(server.admin, 'account', 'ls')).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('is not trusted'),
    });
    const missing = lazaret(server.admin, 'account', 'ls', '--ca', join(authority.folder, 'none'));
    await expect(missing).rejects.toMatchObject({ code: 'invalid', detail: { path: 'ca' } });
    const ca = await readFile(authority.caFile, 'utf8');
    expect(await call({ ...server.admin, ca }, whoami)).toMatchObject({ principal: 'admin' });
  });

  it('shows a renewed certificate to new connections, and keeps the open ones', async () => {
    expect(await nameShown()).toBe('first');
    const before = await open();
    expect(await ask(before)).toBe('HTTP/1.1 200 OK');
    expect(await server.reload()).toBe(false);
    await install('second.pem', 'second.key');
    await server.drain();
    expect(await nameShown()).toBe('second');
    expect(await ask(before)).toBe('HTTP/1.1 200 OK');
    before.destroy();
    await install('first.pem', 'first.key');
    expect(await server.reload()).toBe(true);
    expect(await nameShown()).toBe('first');
  });

  it('serves the old one on while the files are broken, and says so once', async () => {
    for (const spoil of [
      () => install('second.pem', 'first.key'),
      () => writeFile(files.cert, 'half a file'),
      async () => {
        await install('second.pem', 'second.key');
        await writeFile(files.key, '');
      },
    ]) {
      await spoil();
      logged.length = 0;
      expect(await server.reload()).toBe(false);
      expect(await server.reload()).toBe(false);
      expect(await nameShown()).toBe('first');
      const problems = logged.filter((line) => line.includes('the new certificate is not taken'));
      expect(problems).toHaveLength(1);
    }
    await install('second.pem', 'second.key');
    expect(await server.reload()).toBe(true);
    expect(await nameShown()).toBe('second');
  });

  it('does not start with files that are no pair, and names them', async () => {
    const pair = (cert: string, key: string) =>
      tlsPair({ cert: join(authority.folder, cert), key: join(authority.folder, key) });
    await expect(pair('first.pem', 'second.key')).rejects.toMatchObject({
      code: 'configInvalid',
      message: expect.stringContaining('are no pair'),
      detail: { path: 'listen.tls.cert' },
    });
    await expect(pair('first.pem', 'none.key')).rejects.toMatchObject({
      code: 'configInvalid',
      detail: { path: 'listen.tls.key' },
    });
  });
});
