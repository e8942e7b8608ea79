import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { debianTools } from '../../scripts/debian-tools.ts';

const run = promisify(execFile);

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateAuthority {
  readonly folder: string;
  /** What a client trusts. */
  readonly caFile: string;
  /** A certificate for localhost, 127.0.0.1 and registry.test, told apart by its common name. */
  readonly issue: (commonName: string) => Promise<CertificateFiles>;
  readonly close: () => Promise<void>;
}

/** An authority of its own, made by openssl in a temporary folder. */
export async function openAuthority(): Promise<CertificateAuthority> {
  const openssl = join(await debianTools(['openssl']), 'openssl');
  const folder = await mkdtemp(join(tmpdir(), 'lazaret-ca-'));
  const at = (name: string) => join(folder, name);
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const [caFile, caKey] = [at('ca.pem'), at('ca.key')];
  const subject = ['-subj', '/CN=test authority', '-days', '2'];
  await run(openssl, ['req', '-x509', ...curve, ...subject, '-keyout', caKey, '-out', caFile]);
  const names = at('names.cnf');
  await writeFile(names, 'subjectAltName = DNS:localhost, IP:127.0.0.1, DNS:registry.test\n');
  return {
    folder,
    caFile,
    issue: async (commonName) => {
      const [cert, key, request] = [
        at(`${commonName}.pem`),
        at(`${commonName}.key`),
        at(`${commonName}.csr`),
      ];
      await run(openssl, ['req', ...curve, '-subj', `/CN=${commonName}`, '-keyout', key, '-out', request]);
      const signer = ['-CA', caFile, '-CAkey', caKey, '-CAcreateserial', '-days', '2', '-extfile', names];
      await run(openssl, ['x509', '-req', '-in', request, ...signer, '-out', cert]);
      return { cert, key };
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}
