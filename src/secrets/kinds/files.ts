import type { SecretKind } from '../secret-kind.ts';
import { isPassword } from '../values.ts';

const passwordOf = ({ groups }: RegExpExecArray): string | undefined =>
  groups?.value !== undefined && isPassword(groups.value) ? groups.value : undefined;

/** Of names in environments: what ends so is a secret by its owner's word. */
const secretName =
  '(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|SECRET_KEY|API_?KEY|ACCESS_KEY|AUTH_TOKEN|ACCESS_TOKEN|TOKEN|PRIVATE_KEY|CREDENTIALS|_PASS|_PWD)';

/** What programs keep credentials in, and addresses with a password. */
export const files: readonly SecretKind[] = [
  {
    id: 'url-credentials',
    title: 'password in an address',
    anchors: ['://'],
    pattern:
      /(?<![A-Za-z0-9+.-])(?<scheme>[a-z][a-z0-9+.-]{1,30}):\/\/(?<user>[^\s:@/"'`<>\\|(){}[\],;$%&*]{0,64}):(?<value>[^\s:@/"'`<>\\|(){}[\],;$&*]{6,128})@(?<host>[A-Za-z0-9_.-]{2,200}|\[[0-9a-fA-F:]{2,40}\])/gi,
    before: 32,
    after: 420,
    read: readUrl,
  },
  {
    id: 'connection-string',
    title: 'password in a connection string',
    anchors: [';password=', ';pwd=', '; password=', '; pwd='],
    pattern:
      /(?:server|data source|host|user id|uid|username)[ \t]{0,2}=[^;"'\r\n=]{1,120};(?:[^;"'\r\n=]{1,40}=[^;"'\r\n=]{0,120};){0,6} ?(?:password|pwd)=(?<value>[^;"'\s]{6,128})/gi,
    before: 900,
    after: 150,
    read: passwordOf,
  },
  {
    id: 'npmrc-auth',
    title: 'npm registry credentials (.npmrc)',
    anchors: ['_authToken', ':_auth', '_auth=', '_auth =', ':_password'],
    pattern:
      /(?:^|[:\s])_(?:authToken|auth|password)[ \t]{0,4}=[ \t]{0,4}["']?(?<value>[A-Za-z0-9+/=_.-]{8,600})/g,
    before: 2,
    after: 640,
    paths: /(?:^|\/)\.?(?:npmrc|yarnrc|pnpmrc)$/,
    read: passwordOf,
  },
  {
    id: 'pypirc-password',
    title: 'package index password (.pypirc)',
    anchors: ['password'],
    pattern: /(?:^|[\r\n])[ \t]{0,8}password[ \t]{0,4}[=:][ \t]{0,4}(?<value>[^\s"']{6,960})/g,
    before: 9,
    after: 980,
    paths: /(?:^|\/)\.pypirc$/,
    read: passwordOf,
  },
  {
    id: 'netrc-password',
    title: 'password of a machine (.netrc)',
    anchors: ['password'],
    pattern:
      /(?:login|account)[ \t\r\n]{1,8}\S{1,128}[ \t\r\n]{1,8}password[ \t\r\n]{1,8}(?<value>\S{6,512})/g,
    before: 170,
    after: 540,
    paths: /(?:^|\/)[._]netrc$/,
    read: passwordOf,
  },
  {
    id: 'pgpass-password',
    title: 'PostgreSQL password (.pgpass)',
    anchors: [':54', ':64', ':*:'],
    pattern: /(?:^|[\r\n])[^\s:#]{1,200}:(?:\d{1,5}|\*):[^\s:]{1,64}:[^\s:]{1,64}:(?<value>[^\s:]{6,256})/g,
    before: 210,
    after: 420,
    paths: /(?:^|\/)\.pgpass$/,
    read: passwordOf,
  },
  {
    id: 'docker-config-auth',
    title: 'registry credentials (docker config.json)',
    anchors: ['"auth"', '"identitytoken"', '"registrytoken"'],
    pattern: /"(?:auth|identitytoken|registrytoken)"\s{0,8}:\s{0,8}"(?<value>[A-Za-z0-9+/=_.-]{8,4000})"/g,
    before: 0,
    after: 4_040,
    paths:
      /(?:^|\/)(?:\.docker\/config\.json|\.dockercfg|\.dockerconfigjson|containers\/auth\.json|kaniko\/\.docker\/config\.json)$/,
  },
  {
    id: 'kubeconfig-key',
    title: 'client key or token (kubeconfig)',
    anchors: ['client-key-data'],
    pattern: /client-key-data"?[ \t]{0,4}:[ \t]{0,4}"?(?<value>[A-Za-z0-9+/]{100,12000}={0,2})/g,
    before: 0,
    after: 12_060,
    read: ({ groups }) =>
      Buffer.from(groups?.value ?? '', 'base64').includes('PRIVATE KEY-----') ? groups?.value : undefined,
  },
  {
    id: 'kubeconfig-token',
    title: 'token or password (kubeconfig)',
    anchors: ['token:', 'password:'],
    pattern:
      /(?:^|[\r\n])[ \t]{1,12}(?:token|password)[ \t]{0,4}:[ \t]{0,4}["']?(?<value>[A-Za-z0-9+/=_.:-]{8,2000})/g,
    before: 15,
    after: 2_040,
    paths:
      /(?:^|\/)(?:\.kube\/config|[^/]*kubeconfig[^/]*|kubernetes\/(?:admin|kubelet|controller-manager|scheduler)\.conf)$/,
    read: passwordOf,
  },
  {
    id: 'env-credential',
    title: 'password, token or key in an environment (.env, image config)',
    anchors: ['PASSWORD', 'PASSWD', 'PASSPHRASE', '_PASS', '_PWD', 'SECRET', 'KEY', 'TOKEN', 'CREDENTIALS'],
    pattern: new RegExp(
      `(?:^|[\\r\\n])(?:export )?(?<name>[A-Za-z0-9_]{0,60}${secretName})[ \\t]{0,2}=[ \\t]{0,2}["']?(?<value>[^\\s"'#]{6,1000})`,
      'gi',
    ),
    before: 80,
    after: 1_040,
    paths: /(?:^|\/)\.env(?:\.(?!example|sample|template|dist|defaults?$)[A-Za-z0-9_-]{1,30})?$|^config:Env$/,
    read: readEnvironment,
  },
];

/** Names that RFC 2606 and 6761 reserve, and what documentation writes for a host. */
const noHost =
  /(?:^|\.)(?:example(?:\.(?:com|org|net|edu))?|test|invalid|localdomain)$|^(?:host(?:name)?|server|proxy|domain|some|my|foo|bar|a|b|x|y)[a-z0-9]{0,6}$/i;

function readUrl({ groups }: RegExpExecArray): string | undefined {
  const { user = '', value = '', host = '' } = groups ?? {};
  if (noHost.test(host) || value === user || !isPassword(value)) return undefined;
  return value;
}

/** A path, an address without password or a number is no secret, whatever its name says. */
function readEnvironment({ groups }: RegExpExecArray): string | undefined {
  const { value = '' } = groups ?? {};
  if (/^(?:\.{0,2}\/|[a-z][a-z0-9+.-]{1,20}:\/\/|[0-9.]+$)/i.test(value) || !isPassword(value))
    return undefined;
  return value;
}
