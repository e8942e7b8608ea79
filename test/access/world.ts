import { opaqueSecretHash } from '../../src/actions/access/secrets.ts';
import { type Client, call } from '../../src/client/client.ts';
import { accountCreate } from '../../src/contract/access.ts';
import { deploymentCreate } from '../../src/contract/deployments.ts';
import { exceptionCreate } from '../../src/contract/exceptions.ts';
import { grantCreate } from '../../src/contract/grants.ts';
import { immutabilityRuleCreate } from '../../src/contract/immutability.ts';
import { instanceCreate } from '../../src/contract/instances.ts';
import { principalCreate } from '../../src/contract/principals.ts';
import { planApply, planCreate } from '../../src/contract/quarantines.ts';
import { retentionRuleCreate } from '../../src/contract/retention.ts';
import { sbomRuleCreate } from '../../src/contract/sbom-rules.ts';
import { scanCreate } from '../../src/contract/scans.ts';
import type { Role as GivenRole } from '../../src/records/access/caller.ts';
import { principalAdd } from '../../src/records/access/principals.ts';
import { pushImage } from '../support/distribution-world.ts';
import { http } from '../support/http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';

/** Who asks: `stranger` reads another account, those from `reader` to `admin` have their role over account acme. */
export const roles = [
  ...(['nobody', 'stranger', 'reader', 'writer', 'maintainer', 'security', 'admin'] as const),
  ...(['operator', 'region', 'instance'] as const),
] as const;
export type Role = (typeof roles)[number];

/** What there is of acme's, which the requests are about. */
export interface AccessWorld {
  readonly server: TestServer;
  readonly as: Readonly<Record<Role, Client>>;
  /** Of acme/shop:1. */
  readonly manifest: string;
  readonly layer: string;
  readonly plan: string;
  readonly quarantine: string;
  readonly exception: string;
  readonly scan: string;
  /** One for each role to take away. */
  readonly rules: ReadonlyMap<Role, string>;
  /** Likewise. */
  readonly immutable: ReadonlyMap<Role, string>;
  /** Likewise. */
  readonly sboms: ReadonlyMap<Role, string>;
}

/** A digest that nothing has. */
export const noDigest = `sha256:${'f'.repeat(64)}`;

export async function openAccessWorld(): Promise<AccessWorld> {
  const server = await startTestServer();
  for (const name of ['acme', 'globex', 'initech'])
    await call(server.admin, accountCreate, { body: { name } });
  const as = await everybody(server);
  const { digest: manifest, layer } = await pushImage(as.maintainer, 'acme/shop:1');
  await pushImage(as.maintainer, 'acme/shop:old');
  await http(as.maintainer, 'DELETE /v2/acme/shop/manifests/old');
  const decided = await decisions(as);
  await call(as.maintainer, grantCreate, { body: { grantee: 'initech', repositoryGlob: 'acme/given' } });
  const rules = new Map<Role, string>();
  const immutable = new Map<Role, string>();
  const sboms = new Map<Role, string>();
  for (const role of roles) {
    await leave(server, role);
    const body = { repositoryGlob: 'acme/ruled', keepTags: [role] };
    rules.set(role, (await call(as.maintainer, retentionRuleCreate, { body })).name);
    const fixed = { repositoryGlob: 'acme/ruled', exceptTags: [role] };
    immutable.set(role, (await call(as.maintainer, immutabilityRuleCreate, { body: fixed })).name);
    const listed = { repositoryGlob: 'acme/ruled', formats: ['spdx' as const] };
    sboms.set(role, (await call(as.maintainer, sbomRuleCreate, { body: listed })).name);
  }
  await deploy(as.operator, 'web');
  return { server, as, manifest, layer, rules, immutable, sboms, ...decided };
}

async function everybody(server: TestServer): Promise<AccessWorld['as']> {
  const { url } = server;
  const over = (role: GivenRole, account: string) => ({ role, account, repositoryGlob: null });
  const user = (role: GivenRole) => server.user(`the-${role}`, 'acme', [over(role, 'acme')]);
  const region = { name: 'region/us', kind: 'region', account: null, bindings: [] } as const;
  await server.context.database.transact((tx) =>
    principalAdd(tx, { ...region, secretHash: opaqueSecretHash('hush') }, 'test'),
  );
  const instance = await call(server.admin, instanceCreate, { body: { name: 'host-1', account: 'acme' } });
  const basic = (username: string, password: string): Client => ({
    url,
    credentials: { kind: 'basic', username, password },
  });
  return {
    nobody: { url },
    stranger: await server.user('the-stranger', 'globex', [over('reader', 'globex')]),
    reader: await user('reader'),
    writer: await user('writer'),
    maintainer: await user('maintainer'),
    security: await user('security'),
    admin: await user('admin'),
    operator: server.admin,
    region: basic('region/us', 'hush'),
    instance: basic('instance/host-1', instance.secret),
  };
}

/** A quarantine of what is not there, so that nothing else is refused for it, and a plan of another. */
async function decisions({ security, reader }: AccessWorld['as']) {
  const targets = { manifests: [noDigest] };
  const applied = await call(security, planCreate, { body: { targets } });
  const answer = await call(security, planApply, {
    params: { name: applied.name },
    body: { reason: 'test' },
  });
  const { name: plan } = await call(security, planCreate, { body: { targets } });
  const body = { criteria: { package: { purl: 'pkg:npm/lodash' } }, scope: {} };
  const { name: scan } = await call(reader, scanCreate, { body });
  const excepted = { advisory: 'CVE-2000-0002', status: 'fixed' } as const;
  const { name: exception } = await call(security, exceptionCreate, { body: excepted });
  return { plan, scan, quarantine: answer.name, exception };
}

/** What each role has a try at taking away: a robot and a deployment of its own. */
async function leave({ admin }: TestServer, role: Role): Promise<void> {
  const robot = { name: `acme+${role}`, kind: 'robot', account: 'acme', bindings: [] } as const;
  await call(admin, principalCreate, { body: robot });
  await deploy(admin, `gone-${role}`);
}

async function deploy(client: Client, name: string): Promise<void> {
  const place = { region: 'local', instance: 'host-1', account: 'acme' };
  await call(client, deploymentCreate, { body: { name, reference: 'acme/shop:1', ...place } });
}
