import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiRoutes } from '../../src/edges/api/routes.ts';
import { createApp } from '../../src/edges/http/app.ts';
import { distributionApi } from '../../src/edges/oci/distribution.ts';
import type { OciPath } from '../../src/edges/oci/path.ts';
import { http } from '../support/http.ts';
import { distributionEndpoints, type Endpoint, otherEndpoints } from './endpoints.ts';
import { type AccessWorld, openAccessWorld, type Role, roles } from './world.ts';

let world: AccessWorld;
beforeAll(async () => {
  world = await openAccessWorld();
});
afterAll(() => world.server.close());

describe('the golden list', () => {
  it('names every route that the server has', async () => {
    const { context } = world.server;
    const app = await createApp({
      ...context,
      tls: null,
      trustedProxies: [],
      managementRoutes: apiRoutes(context),
      distribution: distributionApi(context),
      operation: { ready: async () => undefined, metrics: context.metrics },
    });
    await app.ready();
    const served = routesOf(app.printRoutes({ commonPrefix: false }));
    await app.close();
    const besideDistribution = served.filter((route) => !/ \/v2\/?\*?$/.test(route));
    expect(besideDistribution.toSorted()).toEqual(Object.keys(otherEndpoints).toSorted());
  });

  it('names everything that the distribution API has', () => {
    // A kind of path that is missing here is an error of types.
    const methods: Record<OciPath['kind'], readonly string[]> = {
      base: ['GET'],
      token: ['GET', 'POST'],
      catalog: ['GET'],
      uploads: ['POST'],
      upload: ['DELETE', 'GET', 'PATCH', 'PUT'],
      blob: ['DELETE', 'GET', 'HEAD'],
      manifest: ['DELETE', 'GET', 'HEAD', 'PUT'],
      tags: ['GET'],
      referrers: ['GET'],
    };
    const named = Object.entries(methods).flatMap(([kind, each]) =>
      each.map((method) => `${method} ${kind}`),
    );
    expect(Object.keys(distributionEndpoints).toSorted()).toEqual(named.toSorted());
  });
});

describe('an endpoint is for those whom the list names:', () => {
  it.each(Object.entries({ ...distributionEndpoints, ...otherEndpoints }))('%s', async (name, endpoint) => {
    const may: Role[] = [];
    for (const role of roles) if (await allowed(name, endpoint, role)) may.push(role);
    expect(may.join(' ')).toBe(endpoint.may);
  });
});

/** `GET /api/v1/whoami` of each route in a drawing of the tree of routes. HEAD goes with GET. */
function routesOf(drawing: string): string[] {
  const paths: string[] = [];
  return drawing.split('\n').flatMap((line) => {
    const [, indent = '', path = '', methods = ''] =
      /^([│├└─\s]*)(\S*) ?(?:\(([A-Z, ]+)\))?/.exec(line) ?? [];
    if (path === '') return [];
    const depth = Math.floor(indent.length / 4);
    paths[depth - 1] = path;
    const whole = paths.slice(0, depth).join('');
    const named = methods.split(', ').filter((method) => method !== '' && method !== 'HEAD');
    return named.map((method) => `${method} ${whole}`);
  });
}

async function allowed(name: string, endpoint: Endpoint, role: Role): Promise<boolean> {
  const [method = '', pattern = ''] = name.split(' ');
  const path = endpoint.path ? endpoint.path(world, role) : pattern;
  const response = await http(world.as[role], `${method} ${path}`, requestOf(endpoint, role));
  const text = await answerOf(response);
  expect([role, name, response.status, text]).not.toEqual([role, name, 405, text]);
  expect(response.status, `${role} ${name}: ${text}`).toBeLessThan(500);
  if (response.status === 401 || response.status === 403) return false;
  if (method === 'HEAD') return response.status === 200;
  if (endpoint.shows !== undefined) {
    expect(response.status, text).toBe(200);
    return text.includes(typeof endpoint.shows === 'string' ? endpoint.shows : endpoint.shows(world));
  }
  const code = /"code":"(\w+)"/.exec(text)?.[1] ?? '';
  const refused = ['NAME_UNKNOWN', 'nameUnknown', ...(endpoint.hides ?? [])];
  if (refused.includes(code) && response.status === 404) return false;
  // The request itself must be as the endpoint wants it, or the answer would say nothing about who may.
  expect(code, `${role} ${name}: ${text}`).not.toBe('invalid');
  return true;
}

function requestOf({ body, contentType }: Endpoint, role: Role) {
  if (contentType === 'form') return formOf(role);
  if (contentType !== undefined) {
    const text = body ? JSON.stringify(body(world, role)) : '';
    return { headers: { 'content-type': contentType }, body: text };
  }
  if (body === undefined) return {};
  return { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body(world, role)) };
}

/** As containerd asks for a token. */
function formOf(role: Role) {
  const { credentials } = world.as[role];
  const { username, password } = credentials?.kind === 'basic' ? credentials : { username: '', password: '' };
  const form = new URLSearchParams({ grant_type: 'password', username, password });
  return { headers: { 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString() };
}

/** Of an answer without an end, what comes at first. */
async function answerOf(response: Response): Promise<string> {
  if (!response.headers.get('content-type')?.includes('ndjson')) return response.text();
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    if (!response.url.includes('/events')) break;
  }
  return text;
}
