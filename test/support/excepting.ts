import { Readable } from 'node:stream';
import { exceptionAdd, exceptionWithdraw } from '../../src/actions/exceptions/decide.ts';
import { expireExceptionsTask } from '../../src/actions/exceptions/expire.ts';
import { importVex, type VexImported } from '../../src/actions/exceptions/import-vex.ts';
import { proposeExceptionsTask } from '../../src/actions/exceptions/propose.ts';
import { importFeed } from '../../src/actions/match/import-feed.ts';
import type { Exception, ExceptionTerms } from '../../src/records/exceptions/exceptions.ts';
import type { House } from './house.ts';
import { type Content, content, descriptor, jsonContent, mediaTypes } from './oci-layout.ts';

/** An OSV advisory of an npm package, before 99.0.0. */
export function npmAdvisory(id: string, name: string, more: object = {}): object {
  const ranges = [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '99.0.0' }] }];
  return {
    id,
    modified: '2026-01-01T00:00:00Z',
    severity: [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }],
    affected: [{ package: { ecosystem: 'npm', name }, ranges }],
    ...more,
  };
}

export function importAdvisories({ deps }: House, ...documents: readonly object[]) {
  const bytes = Buffer.from(JSON.stringify(documents));
  return importFeed(deps, { source: 'test', actor: 'jo', documents: Readable.from([bytes]) });
}

/** Counts at once; whatever is not said: of any image and package of everybody. */
export function except(
  { database }: House,
  advisory: string,
  where: Partial<ExceptionTerms> = {},
): Promise<Exception> {
  const anywhere = { account: null, repositoryGlob: null, imageDigest: null, purl: null, aliases: [] };
  const why = { status: 'not_affected', justification: 'component_not_present', statement: null } as const;
  return exceptionAdd(
    database,
    { ...anywhere, ...why, author: 'sec', expiresAt: null, advisory, ...where },
    'sec',
  );
}

export interface VexOf {
  readonly version?: number;
  readonly timestamp?: string;
  readonly statements: readonly object[];
}

export function vexDocument({ version = 1, timestamp = '2026-01-01T00:00:00Z', statements }: VexOf): object {
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://acme.example/vex',
    ...{ author: 'Acme Security', timestamp, version, statements },
  };
}

/** `not_affected` of these products. */
export function notAffected(advisory: string, ...products: readonly (string | object)[]): object {
  return {
    vulnerability: { name: advisory },
    products: products.map((one) => (typeof one === 'string' ? { '@id': one } : one)),
    status: 'not_affected',
    justification: 'vulnerable_code_not_in_execute_path',
  };
}

export function vexImported(
  { database }: House,
  document: object,
  { account = null, expiresAt = null }: { account?: string | null; expiresAt?: number | null } = {},
): Promise<VexImported> {
  const bytes = Buffer.from(JSON.stringify(document));
  return importVex(database, { document: Readable.from([bytes]), account, expiresAt, actor: 'sec' });
}

export function withdraw({ database }: House, name: string): Promise<Exception> {
  return exceptionWithdraw(database, { name, actor: 'sec', because: null });
}

/** The task, until nothing is due. */
export async function expireExceptions({ deps }: House): Promise<void> {
  const task = expireExceptionsTask(deps);
  while ((await task.run(new AbortController().signal)) === 'worked');
}

/** Attached to an image, or an index, of the repository; `data` are the document's bytes. @returns the referrer */
export function vexReferrerOf(
  subject: Content,
  data: object | string,
  { artifactType = openVex }: { readonly artifactType?: string } = {},
): { readonly manifest: Content; readonly blobs: readonly Content[] } {
  const bytes = Buffer.from(typeof data === 'string' ? data : JSON.stringify(data));
  const document = content(openVex, bytes);
  const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  const manifest = jsonContent(mediaTypes.manifest, {
    ...{ schemaVersion: 2, mediaType: mediaTypes.manifest, artifactType, config: descriptor(empty) },
    layers: [descriptor(document)],
    subject: descriptor(subject),
  });
  return { manifest, blobs: [document, empty] };
}

const openVex = 'application/vnd.openvex+json';

/** As a client attaches it. @returns the referrer's digest */
export async function attachVex(
  house: House,
  repository: string,
  ...of: Parameters<typeof vexReferrerOf>
): Promise<string> {
  const { manifest, blobs } = vexReferrerOf(...of);
  for (const blob of blobs) await house.pushBlob(repository, blob);
  await house.putManifest(`${repository}@${manifest.digest}`, manifest);
  return manifest.digest;
}

/** The task, until nothing is left to read. */
export async function proposeExceptions({ deps }: House): Promise<void> {
  const task = proposeExceptionsTask(deps);
  while ((await task.run(new AbortController().signal)) === 'worked');
}
