import { type AccessWorld, noDigest, type Role } from './world.ts';

/**
 * The golden list: every endpoint of the server, and who may use it on what is account acme's. The test beside it makes
 * each request as each role through the real server, and fails for an endpoint that is not here.
 */
export interface Endpoint {
  /** Roles, in the order of `roles`. */
  readonly may: string;
  /** Below the pattern's; by default the pattern itself, which then has no parameter. */
  readonly path?: (world: AccessWorld, role: Role) => string;
  readonly body?: (world: AccessWorld, role: Role) => unknown;
  readonly contentType?: string;
  /** Everybody known is answered; who may see acme's finds this in the answer. */
  readonly shows?: string | ((world: AccessWorld) => string);
  /** Codes that mean to this caller: you may not see it. */
  readonly hides?: readonly string[];
}

const everyone = 'nobody stranger reader writer maintainer security admin operator region instance';
const known = 'stranger reader writer maintainer security admin operator region instance';
const pull = 'reader writer maintainer security admin operator region instance';
const members = 'reader writer maintainer security admin operator';
const push = 'writer maintainer admin operator';
const maintain = 'maintainer admin operator';
const decide = 'security admin operator';
const administer = 'admin operator';
const operate = 'operator';

const at = (path: string) => () => path;
const binding = { role: 'reader', account: 'acme', repositoryGlob: null };
const targets = { targets: { manifests: [noDigest] } };
const ofRobot = (what: string) => (_: AccessWorld, role: Role) => `/api/v1/principals/acme+${role}${what}`;
const ofQuarantine = (what: string) => (world: AccessWorld) =>
  `/api/v1/quarantines/${world.quarantine}${what}`;

const system: Record<string, Endpoint> = {
  'GET /livez': { may: everyone },
  'GET /readyz': { may: everyone },
  'GET /metrics': { may: everyone },
};

const distribution: Record<string, Endpoint> = {
  'GET base': { may: known, path: at('/v2/') },
  'GET token': { may: known, path: at('/v2/token?scope=repository:acme/shop:pull') },
  'POST token': { may: known, path: at('/v2/token'), contentType: 'form' },
  'GET catalog': { may: pull, path: at('/v2/_catalog'), shows: '"acme/shop"' },
  'POST uploads': { may: push, path: at('/v2/acme/shop/blobs/uploads/') },
  'GET upload': { may: push, path: at('/v2/acme/shop/blobs/uploads/none') },
  'PATCH upload': { may: push, path: at('/v2/acme/shop/blobs/uploads/none') },
  'PUT upload': { may: push, path: at(`/v2/acme/shop/blobs/uploads/none?digest=${noDigest}`) },
  'DELETE upload': { may: push, path: at('/v2/acme/shop/blobs/uploads/none') },
  'GET blob': { may: pull, path: ({ layer }) => `/v2/acme/shop/blobs/${layer}` },
  'HEAD blob': { may: pull, path: ({ layer }) => `/v2/acme/shop/blobs/${layer}` },
  'DELETE blob': { may: maintain, path: at(`/v2/acme/shop/blobs/${noDigest}`) },
  'GET manifest': { may: pull, path: at('/v2/acme/shop/manifests/1') },
  'HEAD manifest': { may: pull, path: at('/v2/acme/shop/manifests/1') },
  'PUT manifest': { may: push, path: at('/v2/acme/shop/manifests/2'), body: () => ({}) },
  'DELETE manifest': { may: maintain, path: at('/v2/acme/shop/manifests/none') },
  'GET tags': { may: pull, path: at('/v2/acme/shop/tags/list') },
  'GET referrers': { may: pull, path: at(`/v2/acme/shop/referrers/${noDigest}`) },
};

const access: Record<string, Endpoint> = {
  'GET /api/v1/whoami': { may: everyone },
  'GET /api/v1/accounts': { may: operate },
  'POST /api/v1/accounts': { may: operate, body: (_, role) => ({ name: `of-${role}` }) },
  'POST /api/v1/accounts/:name': { may: administer, path: at('/api/v1/accounts/acme'), body: () => ({}) },
  'GET /api/v1/principals': { may: administer },
  'POST /api/v1/principals': {
    may: administer,
    body: (_, role) => ({ name: `acme+of-${role}`, kind: 'robot', account: 'acme', bindings: [binding] }),
  },
  'POST /api/v1/principals/:name/disable': { may: administer, path: ofRobot('/disable') },
  'POST /api/v1/principals/:name/enable': { may: administer, path: ofRobot('/enable') },
  'POST /api/v1/principals/:name/secret': { may: administer, path: ofRobot('/secret'), body: () => ({}) },
  'POST /api/v1/principals/:name/roles': { may: administer, path: ofRobot('/roles'), body: () => binding },
  'POST /api/v1/principals/:name/roles/revoke': {
    may: administer,
    path: ofRobot('/roles/revoke'),
    body: () => binding,
  },
  'DELETE /api/v1/principals/:name': { may: administer, path: ofRobot('') },
  'POST /api/v1/secrets/fingerprint': { may: known, body: () => ({ value: 'aHVzaA==' }) },
  'GET /api/v1/signing-keys': { may: operate },
  'POST /api/v1/signing-keys': { may: operate, body: () => ({}) },
  'POST /api/v1/grants': {
    may: maintain,
    body: () => ({ grantee: 'initech', repositoryGlob: 'acme/granted' }),
  },
  'POST /api/v1/grants/revoke': {
    may: maintain,
    body: () => ({ grantee: 'initech', repositoryGlob: 'acme/never' }),
  },
  'GET /api/v1/grants': { may: pull, shows: 'acme/given' },
};

const content: Record<string, Endpoint> = {
  'GET /api/v1/images': { may: pull, shows: 'acme/shop' },
  'GET /api/v1/images/show': { may: pull, path: at('/api/v1/images/show?reference=acme/shop:1') },
  'GET /api/v1/images/explain': { may: pull, path: at('/api/v1/images/explain?reference=acme/shop:1') },
  'GET /api/v1/images/packages': { may: pull, path: at('/api/v1/images/packages?reference=acme/shop:1') },
  'GET /api/v1/images/diff/packages': {
    may: pull,
    path: at('/api/v1/images/diff/packages?from=acme/shop:1&to=acme/shop:1'),
  },
  'GET /api/v1/images/diff/findings': {
    may: pull,
    path: at('/api/v1/images/diff/findings?from=acme/shop:1&to=acme/shop:1'),
  },
  'GET /api/v1/images/diff/files': {
    may: pull,
    path: at('/api/v1/images/diff/files?from=acme/shop:1&to=acme/shop:1'),
  },
  'GET /api/v1/images/sbom': {
    may: pull,
    path: at('/api/v1/images/sbom?reference=acme/shop:1'),
    hides: ['nameUnknown'],
  },
  'GET /api/v1/images/licenses': { may: pull, path: at('/api/v1/images/licenses?reference=acme/shop:1') },
  'GET /api/v1/images/secrets': { may: pull, path: at('/api/v1/images/secrets?reference=acme/shop:1') },
  'GET /api/v1/images/malware': { may: pull, path: at('/api/v1/images/malware?reference=acme/shop:1') },
  'GET /api/v1/images/files': { may: pull, path: at('/api/v1/images/files?reference=acme/shop:1') },
  'GET /api/v1/trash': { may: pull, shows: 'acme/shop' },
  'POST /api/v1/trash/restore': { may: maintain, body: () => ({ reference: 'acme/shop:none' }) },
  'GET /api/v1/retention/plan': { may: known },
  'GET /api/v1/retention/rules': { may: members, shows: 'acme/ruled' },
  'POST /api/v1/retention/rules': {
    may: maintain,
    body: () => ({ repositoryGlob: 'acme/none', keepTags: ['x'] }),
  },
  'DELETE /api/v1/retention/rules/:name': {
    may: maintain,
    path: ({ rules }, role) => `/api/v1/retention/rules/${rules.get(role)}`,
    hides: ['notFound'],
  },
  'GET /api/v1/immutability/rules': { may: members, shows: 'acme/ruled' },
  'POST /api/v1/immutability/rules': { may: maintain, body: () => ({ repositoryGlob: 'acme/none' }) },
  'DELETE /api/v1/immutability/rules/:name': {
    may: maintain,
    path: ({ immutable }, role) => `/api/v1/immutability/rules/${immutable.get(role)}`,
    hides: ['notFound'],
  },
  'GET /api/v1/sbom/rules': { may: members, shows: 'acme/ruled' },
  'POST /api/v1/sbom/rules': {
    may: maintain,
    body: () => ({ repositoryGlob: 'acme/none', formats: ['spdx'] }),
  },
  'DELETE /api/v1/sbom/rules/:name': {
    may: maintain,
    path: ({ sboms }, role) => `/api/v1/sbom/rules/${sboms.get(role)}`,
    hides: ['notFound'],
  },
  'GET /api/v1/inspections': { may: operate },
  'GET /api/v1/gc': { may: operate },
  'POST /api/v1/gc': { may: operate, body: () => ({}) },
  'POST /api/v1/gc/confirm-clock': { may: operate, body: () => ({}) },
  'POST /api/v1/scrub': { may: operate, body: () => ({}) },
  'GET /api/v1/blobs/:digest/explain': {
    may: operate,
    path: ({ layer }) => `/api/v1/blobs/${layer}/explain`,
  },
};

const decisions: Record<string, Endpoint> = {
  'POST /api/v1/scans': {
    may: pull,
    body: () => ({ criteria: { package: { purl: 'pkg:npm/lodash' } }, scope: { image: 'acme/shop:1' } }),
    hides: ['manifestUnknown'],
  },
  'POST /api/v1/scans/live': {
    may: pull,
    body: () => ({ criteria: { package: { purl: 'pkg:npm/lodash' } }, scope: { image: 'acme/shop:1' } }),
    hides: ['manifestUnknown'],
  },
  'GET /api/v1/scans/:name': {
    may: members,
    path: ({ scan }) => `/api/v1/scans/${scan}`,
    hides: ['notFound'],
  },
  'GET /api/v1/scans/:name/images': {
    may: members,
    path: ({ scan }) => `/api/v1/scans/${scan}/images`,
    hides: ['notFound'],
  },
  'GET /api/v1/scans/:name/stream': {
    may: members,
    path: ({ scan }) => `/api/v1/scans/${scan}/stream`,
    hides: ['notFound'],
  },
  'GET /api/v1/scans/:name/diff': {
    may: members,
    path: ({ scan }) => `/api/v1/scans/${scan}/diff?since=${scan}`,
    hides: ['notFound'],
  },
  'POST /api/v1/advisories': {
    may: operate,
    path: at('/api/v1/advisories?source=test'),
    contentType: 'application/octet-stream',
  },
  'GET /api/v1/advisories': { may: known },
  'GET /api/v1/advisories/export': { may: operate },
  'GET /api/v1/advisories/show': { may: known, path: at('/api/v1/advisories/show?id=CVE-2000-0001') },
  'GET /api/v1/exceptions': { may: members, shows: 'CVE-2000-0002' },
  'POST /api/v1/exceptions': {
    may: decide,
    body: () => ({ advisory: 'CVE-2000-0001', status: 'fixed', repositoryGlob: 'acme/none' }),
  },
  'GET /api/v1/exceptions/:name': {
    may: members,
    path: ({ exception }) => `/api/v1/exceptions/${exception}`,
    hides: ['notFound'],
  },
  'POST /api/v1/exceptions/:name/accept': {
    may: decide,
    path: ({ exception }) => `/api/v1/exceptions/${exception}/accept`,
    body: () => ({}),
    hides: ['notFound'],
  },
  'POST /api/v1/exceptions/:name/withdraw': {
    may: decide,
    path: ({ exception }) => `/api/v1/exceptions/${exception}/withdraw`,
    body: () => ({}),
    hides: ['notFound'],
  },
  'POST /api/v1/vex': {
    may: decide,
    contentType: 'application/octet-stream',
    body: (_, role) => ({
      '@context': 'https://openvex.dev/ns/v0.2.0',
      '@id': `https://example.com/${role}`,
      ...{ author: 'test', timestamp: '2026-01-01T00:00:00Z', version: 1, statements: [] },
    }),
  },
  'POST /api/v1/plans': { may: decide, body: () => targets },
  'GET /api/v1/plans/:name': { may: decide, path: ({ plan }) => `/api/v1/plans/${plan}` },
  'POST /api/v1/plans/:name/apply': {
    may: decide,
    path: ({ plan }) => `/api/v1/plans/${plan}/apply`,
    body: () => ({ reason: 'test' }),
  },
  'GET /api/v1/quarantines': {
    may: members,
    path: at('/api/v1/quarantines?all=true'),
    shows: ({ quarantine }) => `"${quarantine}"`,
  },
  'GET /api/v1/quarantines/:name': { may: members, path: ofQuarantine(''), hides: ['notFound'] },
  'GET /api/v1/receipts/:name': {
    may: members,
    path: ({ quarantine }) => `/api/v1/receipts/${quarantine}`,
    hides: ['notFound'],
  },
  'POST /api/v1/quarantines/:name/hold': {
    may: decide,
    path: ofQuarantine('/hold'),
    body: () => ({ hold: false, reason: 'test' }),
  },
  'POST /api/v1/quarantines/:name/retention': {
    may: decide,
    path: ofQuarantine('/retention'),
    body: () => ({ retention: '30d' }),
  },
  'POST /api/v1/quarantines/:name/destroy': { may: decide, path: ofQuarantine('/destroy') },
  'POST /api/v1/quarantines/:name/release': {
    may: decide,
    path: ofQuarantine('/release'),
    body: () => ({ reason: 'test' }),
  },
  'GET /api/v1/forensics/blobs/:digest': {
    may: decide,
    path: ({ layer }) => `/api/v1/forensics/blobs/${layer}?repository=acme/shop`,
  },
  'GET /api/v1/events': { may: members, path: at('/api/v1/events?limit=1000'), shows: 'acme/shop' },
};

const fleet: Record<string, Endpoint> = {
  'GET /api/v1/regions': { may: known },
  'GET /api/v1/replication/stream': { may: 'region' },
  'GET /api/v1/replication/head': { may: 'region' },
  'GET /api/v1/replication/access': { may: 'region' },
  'GET /api/v1/replication/blobs/:digest': {
    may: 'region',
    path: ({ layer }) => `/api/v1/replication/blobs/${layer}?repository=acme/shop`,
  },
  'POST /api/v1/instances': { may: maintain, body: (_, role) => ({ name: `of-${role}`, account: 'acme' }) },
  'GET /api/v1/instances': { may: pull, shows: 'host-1' },
  'GET /api/v1/containers': { may: known },
  'GET /api/v1/agent/assignments': { may: 'instance' },
  'POST /api/v1/agent/report': {
    may: 'instance',
    body: () => ({ revision: 0, runtime: 'fake', containers: [] }),
  },
  'POST /api/v1/deployments': {
    may: maintain,
    body: (_, role) => ({
      name: `of-${role}`,
      ...{ account: 'acme', reference: 'acme/shop:1', region: 'local', instance: 'host-1' },
    }),
  },
  'GET /api/v1/deployments': { may: pull, shows: '"web"' },
  'GET /api/v1/deployments/:name': { may: pull, path: at('/api/v1/deployments/web'), hides: ['notFound'] },
  'POST /api/v1/deployments/:name/start': {
    may: maintain,
    path: at('/api/v1/deployments/web/start'),
    hides: ['notFound'],
  },
  'POST /api/v1/deployments/:name/stop': {
    may: maintain,
    path: at('/api/v1/deployments/web/stop'),
    body: () => ({}),
    hides: ['notFound'],
  },
  'POST /api/v1/deployments/:name/restore': {
    may: maintain,
    path: at('/api/v1/deployments/web/restore'),
    body: () => ({ reason: 'test' }),
    hides: ['notFound'],
  },
  'DELETE /api/v1/deployments/:name': {
    may: maintain,
    path: (_, role) => `/api/v1/deployments/gone-${role}`,
    hides: ['notFound'],
  },
  'GET /api/v1/revocations': { may: known },
};

const documents: Record<string, Endpoint> = {
  'GET /api/v1/version': { may: known },
  'GET /api/v1/openapi.json': { may: everyone },
  'GET /api/v1/schemas/criteria.json': { may: everyone },
};

/** Those of the distribution API are named by what their path asks for. */
export const distributionEndpoints = distribution;
export const otherEndpoints = { ...system, ...access, ...content, ...decisions, ...fleet, ...documents };
