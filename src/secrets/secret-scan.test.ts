import { createHash, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secretKinds } from './kinds.ts';
import { SecretScan, secretsIn } from './secret-scan.ts';

/** Characters that look random, the same in each run: a sample must not look like a secret in this file. */
function noise(alphabet: string, length: number, seed = 'a'): string {
  const bytes: number[] = [];
  for (let round = 0; bytes.length < length; round++)
    bytes.push(...createHash('sha256').update(`${seed} ${round}`).digest());
  return bytes
    .slice(0, length)
    .map((byte) => alphabet[byte % alphabet.length])
    .join('');
}
const upper = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const letters = `${upper}${upper.toLowerCase()}`;
const alnum = `${letters}0123456789`;
const hex = '0123456789abcdef';
const base64 = `${alnum}+/`;
const base32 = `${upper}234567`;
const a = (length: number) => noise(alnum, length);
const h = (length: number) => noise(hex, length);
const jwt = (...parts: readonly object[]) =>
  [...parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')), a(43)].join('.');
const pem = (type: 'pkcs1' | 'pkcs8') =>
  generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export({ type, format: 'pem' }).toString();
const password = noise(alnum, 14);

/** One of each kind: `[kind, text, path]`; the value must not be found in a file of another kind's. */
const samples: readonly (readonly [kind: string, text: string, path?: string])[] = [
  ['private-key', pem('pkcs1')],
  ['private-key', pem('pkcs8').replaceAll('\n', '\\n')],
  [
    'pgp-private-key',
    `-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n${noise(base64, 200)}\n-----END PGP PRIVATE KEY BLOCK-----`,
  ],
  [
    'putty-private-key',
    `PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nComment: me\nPublic-Lines: 1\n${noise(base64, 64)}\nPrivate-Lines: 1\n${noise(base64, 48)}\n`,
  ],
  ['age-secret-key', `AGE-SECRET-KEY-1${noise('QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58)}`],
  ['aws-access-key', `key = AKIA${noise(base32, 16)}`],
  ['aws-access-key', `AWS_ACCESS_KEY_ID=AKIA${noise(base32, 16)}`, 'app/.env'],
  ['aws-access-key', `s3n://AKIA${noise(base32, 16)}:${a(20)}@bucket/key`],
  ['aws-secret-key', `aws_secret_access_key = ${noise(base64, 40)}`],
  ['aws-secret-key', `"SecretAccessKey": "${noise(base64, 40)}"`],
  ['gcp-service-account', `"private_key_id": "${h(40)}"`],
  ['google-api-key', `AIza${a(35)}`],
  ['google-oauth-secret', `GOCSPX-${a(28)}`],
  ['azure-storage-key', `AccountName=shop;AccountKey=${noise(base64, 86)}==;`],
  ['azure-shared-access-key', `SharedAccessKey=${noise(base64, 43)}=`],
  ['azure-client-secret', `secret: ${a(3)}8Q~${a(34)}`],
  ['digitalocean-token', `dop_v1_${h(64)}`],
  ['heroku-key', `HRKU-${a(60)}`],
  ['heroku-key', `HEROKU_API_KEY=${h(8)}-${h(4)}-${h(4)}-${h(4)}-${h(12)}`],
  ['alibaba-access-key', `LTAI5t${a(18)}`],
  ['cloudflare-token', `CLOUDFLARE_API_TOKEN=${a(40)}`],
  ['vault-token', `hvs.${a(90)}`],
  ['terraform-token', `${a(14)}.atlasv1.${a(64)}`],
  ['databricks-token', `dapi${h(32)}`],
  ['github-token', `ghp_${a(36)}`],
  ['github-pat', `github_pat_${a(22)}_${a(59)}`],
  ['gitlab-token', `glpat-${a(20)}`],
  ['bitbucket-token', `ATBB${a(32)}`],
  ['atlassian-token', `ATATT3xFf${a(180)}`],
  ['slack-token', `xoxb-${noise('0123456789', 12)}-${noise('0123456789', 12)}-${a(24)}`],
  ['stripe-key', `sk_live_${a(24)}`],
  ['stripe-webhook-secret', `whsec_${a(32)}`],
  ['square-token', `sq0atp-${a(22)}`],
  ['npm-token', `npm_${a(36)}`],
  ['pypi-token', `pypi-AgEIcHlwaS5vcmc${a(120)}`],
  ['rubygems-key', `rubygems_${h(48)}`],
  ['nuget-key', `oy2${noise('abcdefghijklmnopqrstuvwxyz0123456789', 43)}`],
  ['clojars-token', `CLOJARS_${h(60)}`],
  ['docker-token', `dckr_pat_${a(27)}`],
  ['artifactory-key', `AKCp${a(69)}`],
  ['artifactory-token', `cmVmdGtuO${a(55)}`],
  ['sendgrid-key', `SG.${a(22)}.${a(43)}`],
  ['mailgun-key', `key-${h(32)}`],
  ['mailchimp-key', `${h(32)}-us12`],
  ['brevo-key', `xkeysib-${h(64)}-${a(16)}`],
  ['telegram-bot-token', `${noise('123456789', 10)}:AA${a(33)}`],
  ['shopify-token', `shpat_${h(32)}`],
  ['huggingface-token', `hf_${noise(letters, 34)}`],
  ['openai-key', `sk-proj-${a(40)}T3BlbkFJ${a(40)}`],
  ['anthropic-key', `sk-ant-api03-${a(95)}`],
  ['groq-key', `gsk_${a(52)}`],
  ['replicate-token', `r8_${a(37)}`],
  ['perplexity-key', `pplx-${a(48)}`],
  ['grafana-token', `glsa_${a(32)}_${h(8)}`],
  ['newrelic-key', `NRAK-${noise(`${upper}0123456789`, 27)}`],
  ['sentry-token', `sntryu_${h(64)}`],
  ['dynatrace-token', `dt0c01.${noise(`${upper}234567`, 24)}.${noise(`${upper}234567`, 64)}`],
  ['pulumi-token', `pul-${h(40)}`],
  ['doppler-token', `dp.pt.${a(43)}`],
  ['planetscale-token', `pscale_tkn_${a(43)}`],
  ['postman-key', `PMAK-${h(24)}-${h(34)}`],
  ['linear-key', `lin_api_${a(40)}`],
  ['tailscale-key', `tskey-auth-${a(17)}-${a(32)}`],
  ['netlify-token', `nfp_${a(36)}`],
  ['supabase-token', `sbp_${h(40)}`],
  ['onepassword-token', `ops_eyJ${noise(base64, 300)}`],
  ['slack-webhook', `https://hooks.slack.com/services/T${noise(upper, 9)}/B${noise(upper, 9)}/${a(24)}`],
  ['discord-webhook', `https://discord.com/api/webhooks/${noise('123456789', 18)}/${a(68)}`],
  ['twilio-key', `TWILIO_AUTH_TOKEN=${h(32)}`],
  ['datadog-key', `DD_API_KEY=${h(32)}`],
  ['jwt', jwt({ alg: 'HS256', typ: 'JWT' }, { sub: '42', iat: 1 })],
  ['url-credentials', `DATABASE=postgres://shop:${password}@db.internal:5432/shop`],
  ['connection-string', `Server=db;Database=shop;User Id=sa;Password=${password};`],
  ['npmrc-auth', `//npm.acme.dev/:_authToken=${a(40)}`, 'root/.npmrc'],
  ['pypirc-password', `[pypi]\nusername = me\npassword = ${password}\n`, 'root/.pypirc'],
  ['netrc-password', `machine api.acme.dev login jo password ${password}`, 'root/.netrc'],
  ['pgpass-password', `db:5432:shop:jo:${password}`, 'root/.pgpass'],
  ['docker-config-auth', `{"auths":{"r":{"auth":"${noise(base64, 24)}"}}}`, 'root/.docker/config.json'],
  [
    'kubeconfig-key',
    `client-key-data: ${Buffer.from(`-----BEGIN RSA PRIVATE KEY-----\n${noise(base64, 200)}`).toString('base64')}`,
  ],
  ['kubeconfig-token', `users:\n- user:\n    token: ${a(40)}\n`, 'root/.kube/config'],
  ['env-credential', `PORT=80\nSHOP_PASSWORD="${password}"\n`, 'app/.env'],
  ['env-credential', `PORT=80\nDB_PASS=${password}\nOLD_PWD=/srv/app/current\n`, 'app/.env'],
  ['env-credential', `MYSQL_PWD=${password}`, 'config:Env'],
];

describe('secrets', () => {
  it.each(samples)('of kind %s are found where they are', (kind, text, path = 'app/config') => {
    const found = secretsIn(Buffer.from(`first line\n${text}\nlast line\n`), path);
    expect(found.map((secret) => secret.kind)).toContain(kind);
    for (const { line } of found) expect(line).toBeGreaterThan(1);
  });

  it('of each kind have a sample here', () => {
    const sampled = new Set(samples.map(([kind]) => kind));
    expect(secretKinds.map(({ id }) => id).filter((id) => !sampled.has(id))).toEqual([]);
    expect(new Set(secretKinds.map(({ id }) => id)).size).toBe(secretKinds.length);
  });

  it('are the pair that documentation prints, where somebody has put it to use', () => {
    const text = `[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n`;
    const found = secretsIn(Buffer.from(text), 'root/.aws/credentials');
    expect(found.map(({ kind, line }) => [kind, line])).toEqual([
      ['aws-access-key', 2],
      ['aws-secret-key', 3],
    ]);
    expect(secretsIn(Buffer.from(text), 'usr/share/doc/awscli/examples.txt')).toEqual([]);
  });

  it.each([
    ['an encrypted PEM', 'Proc-Type: 4,ENCRYPTED\n\nMIIC'],
    ['a shortened PEM', 'MIIEowIBAAKCAQEA...\n'],
    ['a PEM that is no key', noise(base64, 400)],
  ])('are not %s', (_, body) => {
    const text = `-----BEGIN RSA PRIVATE KEY-----\n${body}\n-----END RSA PRIVATE KEY-----\n`;
    expect(secretsIn(Buffer.from(text), 'app/key.pem')).toEqual([]);
  });

  it('are not an encrypted PKCS #8 or OpenSSH key', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const options = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'hush' } as const;
    expect(secretsIn(Buffer.from(privateKey.export(options)), 'app/key.pem')).toEqual([]);
    const openSsh = (cipher: string) => {
      const head = Buffer.from(
        `openssh-key-v1\0\0\0\0${String.fromCharCode(cipher.length)}${cipher}`,
        'latin1',
      );
      const body = Buffer.concat([head, Buffer.alloc(100, 7)]).toString('base64');
      return `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;
    };
    expect(secretsIn(Buffer.from(openSsh('aes256-ctr')), 'root/.ssh/id')).toEqual([]);
    expect(secretsIn(Buffer.from(openSsh('none')), 'root/.ssh/id')).toHaveLength(1);
  });

  it.each([
    'postgres://user:password@db/shop',
    'https://user:$PASSWORD_OF_SHOP@acme.dev/',
    'https://jo:secret-of-mine-42@example.com/',
    `ghp_${'x'.repeat(36)}`,
    'sk_live_xxxxxxxxxxxxxxxxxxxxxxxx',
    `xghp_${a(36)}`,
    'Server=db;User Id=sa;Password=<your password>;',
    jwt({ alg: 'none' }, { sub: '42' }),
    `not.${a(30)}.a.jwt`,
  ])('are not what only looks like one: %s', (text) => {
    expect(secretsIn(Buffer.from(text), 'app/config')).toEqual([]);
  });

  it('are not those of the tests and documentation of installed packages, but are those of the own', () => {
    const key = Buffer.from(pem('pkcs8'));
    expect(secretsIn(key, 'app/node_modules/tls/test/fixtures/server.key')).toEqual([]);
    expect(secretsIn(key, 'usr/lib/python3/dist-packages/tornado/test/test.key')).toEqual([]);
    expect(secretsIn(key, 'usr/lib/python3/dist-packages/PyJWT-2.6.0.egg-info/PKG-INFO')).toEqual([]);
    expect(secretsIn(key, 'app/test/server.key')).toHaveLength(1);
    expect(secretsIn(key, 'app/node_modules/tls/server.key')).toHaveLength(1);
  });

  it('are found alike however the bytes arrive, in files of any length', () => {
    const text = Buffer.concat(
      samples.flatMap(([, sample], at) => [
        Buffer.from(`${sample}\n`),
        Buffer.from(`${noise('abc \n', 40, `${at}`)}\n`.repeat(180)),
      ]),
    );
    const whole = secretsIn(text, 'app/all');
    expect(whole.length).toBeGreaterThan(60);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 90_000 }), { minLength: 1, maxLength: 12 }), (cuts) => {
        const scan = new SecretScan('app/all');
        for (let at = 0, turn = 0; at < text.length; turn++) {
          const size = cuts[turn % cuts.length] ?? 1;
          scan.push(text.subarray(at, at + size));
          at += size;
        }
        expect(sorted(scan.end())).toEqual(sorted(whole));
      }),
      { numRuns: 8 },
    );
  });

  it('are not looked for in binary files', () => {
    const text = Buffer.from(`\0${pem('pkcs8')}`);
    expect(secretsIn(text, 'app/binary')).toEqual([]);
  });
});

function sorted<T>(items: readonly T[]): string[] {
  return items.map((item) => JSON.stringify(item)).sort();
}
