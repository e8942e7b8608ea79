import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Credentials } from '../../client/client.ts';
import { RegistrySession } from '../../client/registry-session.ts';
import type { Clock } from '../../lib/clock.ts';
import { LazaretError } from '../../lib/errors.ts';
import { parseReference } from '../../oci/reference.ts';
import { credentialsFor } from '../credentials.ts';
import { type CliIo, serverUrl, trustOf } from '../io.ts';
import { distributionFolderSource, distributionRoot } from './distribution-folder-source.ts';
import { archiveManifestFile, dockerArchiveSource } from './docker-archive-source.ts';
import { fileSize, folderFiles } from './folder-files.ts';
import { type ImageName, nameOfEntry, nameOfReference } from './image-names.ts';
import type { ImportSource } from './import-source.ts';
import { layoutSource } from './layout-source.ts';
import { type RegistrySelection, registrySource } from './registry-source.ts';
import { layoutIndexFile, layoutMarkerFile } from './source-files.ts';
import { tarFiles } from './tar-files.ts';

export interface SourceAccess {
  /** `user:password` for a registry; without it docker's own credentials are used. */
  readonly creds?: string | undefined;
  /** A file with certificates of authorities to trust. */
  readonly tlsCa?: string | undefined;
  readonly plainHttp?: boolean | undefined;
}

export interface OpenedSource {
  readonly source: ImportSource;
  /** What of it was named in SOURCE itself: `oci:shop:1`. */
  readonly chosen: ImageName;
}

interface Opening {
  readonly io: CliIo;
  readonly clock: Clock;
  readonly access: SourceAccess;
}

/**
 * `docker://HOST/…` is a registry. All else is a path, and what lies there says what it is; what skopeo writes before
 * one (`oci:`, `oci-archive:`, `docker-archive:`) is understood, and so is a `:NAME` after it.
 * @throws invalid for what is none of these; unavailable
 */
export async function openSource(text: string, opening: Opening): Promise<OpenedSource> {
  if (text.startsWith('docker://'))
    return { source: await openRegistry(text.slice('docker://'.length), opening), chosen: {} };
  if (/^https?:\/\//.test(text))
    throw new LazaretError('invalid', `write docker://${text.replace(/^https?:\/\//, '')} for a registry`);
  const { io } = opening;
  const plain = text.replace(/^(oci|oci-archive|docker-archive|distribution):/, '');
  if (plain === '-') return { source: await openArchive('-', 'standard input', io), chosen: {} };
  const { path, rest } = await splitPath(plain);
  const source =
    (await fileSize(path)) === undefined ? await openFolder(path) : await openArchive(path, path, io);
  return { source, chosen: chosenBy(rest) };
}

/** The longest part before a `:` that is there. @throws invalid */
async function splitPath(text: string): Promise<{ path: string; rest: string | undefined }> {
  for (let end = text.length; end > 0; end = text.lastIndexOf(':', end - 1)) {
    const path = text.slice(0, end);
    const found = await stat(path).catch(() => undefined); // not there, or not to be seen: the message says which path
    if (found) return { path, rest: end === text.length ? undefined : text.slice(end + 1) };
  }
  throw new LazaretError('invalid', `there is no ${text}; a registry is written docker://HOST/REPOSITORY`);
}

function chosenBy(rest: string | undefined): ImageName {
  if (rest === undefined || rest === '') return {};
  const name =
    rest.includes('/') || rest.includes(':') ? nameOfReference(rest) : nameOfEntry({ [refName]: rest });
  if (name !== undefined) return name;
  throw new LazaretError('invalid', `'${rest}' is not the name of an image`);
}

const refName = 'org.opencontainers.image.ref.name';

async function openFolder(path: string): Promise<ImportSource> {
  if ((await fileSize(join(path, layoutIndexFile))) !== undefined)
    return layoutSource(folderFiles(path), `OCI layout ${path}`);
  const root = await distributionRoot(path);
  if (root !== undefined) return distributionFolderSource(root, `data folder ${path} of distribution`);
  throw new LazaretError('invalid', `${path} is neither an OCI layout nor the data folder of a registry`);
}

async function openArchive(path: string, named: string, io: CliIo): Promise<ImportSource> {
  const files = await tarFiles(path, io.stdin, io.signal);
  try {
    // Docker writes both since 25; only the layout has a manifest whose digest can be kept.
    const isLayout = (await files.sizeOf(layoutMarkerFile)) !== undefined;
    if (isLayout) return await layoutSource(files, `OCI archive ${named}`);
    const isDocker = (await files.sizeOf(archiveManifestFile)) !== undefined;
    if (isDocker) return await dockerArchiveSource(files, `docker archive ${named}`);
    throw new LazaretError('invalid', `${named} is neither an OCI archive nor one that docker saved`);
  } catch (error) {
    await files.close();
    throw error;
  }
}

async function openRegistry(text: string, { io, clock, access }: Opening): Promise<ImportSource> {
  const { host, selection } = parseRegistry(text);
  const url = access.plainHttp ? `http://${host}` : serverUrl(host);
  const credentials = credentialsGiven(access.creds) ?? (await credentialsFor(io, credentialsKey(host)));
  const trust = access.tlsCa === undefined ? {} : await trustOf(io, { ca: access.tlsCa });
  const session = new RegistrySession({ url, credentials, clock, ...trust });
  return registrySource({ session, selection, signal: io.signal });
}

const hub = 'docker.io';
const hubApi = 'registry-1.docker.io';
const hubCredentials = 'https://index.docker.io/v1/';

/** A first part without a dot or a port is not a host but a name on Docker Hub, as docker reads it. */
function parseRegistry(text: string): { host: string; selection: RegistrySelection } {
  const whole = text.replace(/\/$/, '');
  if (!whole.includes('/') && /^(localhost|[^/]*[.:][^/]*)$/.test(whole) && !/:[^:]*[^\d:]/.test(whole))
    return { host: hostOf(whole), selection: {} };
  const { registry = hub, repository, tag, digest } = parseReference(whole);
  const short = registry === hub && !repository.name.includes('/');
  const selection = {
    repository: short ? `library/${repository.name}` : repository.name,
    ...(tag === undefined ? {} : { tag }),
    ...(digest === undefined ? {} : { digest }),
  };
  return { host: hostOf(registry), selection };
}

function hostOf(registry: string): string {
  return registry === hub ? hubApi : registry;
}

function credentialsKey(host: string): string {
  return host === hubApi ? hubCredentials : host;
}

function credentialsGiven(text: string | undefined): Credentials | undefined {
  if (text === undefined) return undefined;
  const colon = text.indexOf(':');
  if (colon < 1) throw new LazaretError('invalid', '--src-creds is USER:PASSWORD');
  return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) };
}
