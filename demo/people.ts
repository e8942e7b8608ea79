import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call } from '../src/client/client.ts';
import { accountCreate, whoami } from '../src/contract/access.ts';
import { principalCreate } from '../src/contract/principals.ts';
import type { RouteInput } from '../src/contract/route.ts';
import type { Narrator } from './narrator.ts';
import { Person } from './person.ts';
import type { Region } from './region.ts';
import { allDone } from './run-program.ts';
import { until } from './wait.ts';

/** Who plays in the demo. */
export interface People {
  /** Runs both regions. */
  readonly admin: Person;
  /** Makes the images: pushes, grants, deploys. */
  readonly acme: Person;
  /** Answers for what is wrong with them: scans and quarantines. */
  readonly security: Person;
  /** Owns the machine that the image runs on. */
  readonly globex: Person;
}

interface PeopleOptions {
  readonly world: { readonly folder: string; readonly home: Region; readonly away: Region };
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
  readonly env: Readonly<Record<string, string>>;
}

type Binding = RouteInput<typeof principalCreate>['body']['bindings'][number];

/** Makes accounts and users in `home`, waits until `away` knows them, and logs everybody in at both. */
export async function openPeople(options: PeopleOptions): Promise<People> {
  const { world, signal } = options;
  const password = (await readFile(join(world.home.dataFolder, 'admin-password'), 'utf8')).trim();
  const admin = await person(options, 'admin', password);
  const client = { url: world.home.url, credentials: admin.credentials };
  for (const name of ['acme', 'globex']) await call(client, accountCreate, { body: { name } }, { signal });
  const user = async (name: string, account: string, roles: readonly Binding['role'][]) => {
    const bindings = roles.map((role) => ({ role, account, repositoryGlob: null }));
    const body = { name, kind: 'user' as const, account, bindings };
    const { secret } = await call(client, principalCreate, { body }, { signal });
    return person(options, name, secret);
  };
  const people = {
    admin,
    acme: await user('acme', 'acme', ['maintainer']),
    security: await user('acme-security', 'acme', ['security']),
    globex: await user('globex', 'globex', ['maintainer']),
  };
  await allDone(Object.values(people).map((one) => logIn(one, options)));
  return people;
}

async function person(
  { world, narrator, signal, env }: PeopleOptions,
  name: string,
  password: string,
): Promise<Person> {
  const dockerConfig = join(world.folder, 'people', name);
  await mkdir(dockerConfig, { recursive: true, mode: 0o700 });
  return new Person({ name, password, dockerConfig, env, narrator, signal });
}

async function logIn(one: Person, { world, signal }: PeopleOptions): Promise<void> {
  await until(() => call({ url: world.away.url, credentials: one.credentials }, whoami, {}, { signal }), {
    what: `${world.away.name} to know ${one.name}`,
    signal,
  });
  for (const region of [world.home, world.away]) await one.login(region);
}
