import { join, resolve } from 'node:path';
import type { BlobStoreConfig } from '../../blobs/drivers.ts';
import type { S3Config } from '../../blobs/s3-config.ts';
import type { Field } from '../../lib/fields.ts';
import type { SettingKey } from './settings.ts';

type Settings = (key: SettingKey) => Field;

/** What `blobs` says: one driver, and what it needs. @throws configInvalid */
export function blobsOf(field: Settings, dataFolder: string): BlobStoreConfig {
  const kind = field('blobs.kind').oneOf(['filesystem', 's3', 'memory']);
  if (kind === 'memory') return { kind };
  if (kind === 's3') return { kind, ...s3Of(field) };
  const folder = field('blobs.folder').string();
  return { kind, folder: folder === '' ? join(dataFolder, 'blobs') : resolve(folder) };
}

function s3Of(field: Settings): S3Config {
  const endpoint = endpointOf(field('blobs.endpoint'));
  const addressing = field('blobs.addressing').oneOf(['auto', 'path', 'host']);
  return {
    bucket: field('blobs.bucket').text(),
    prefix: prefixOf(field('blobs.prefix')),
    endpoint,
    region: field('blobs.bucketRegion').text(),
    pathStyle: addressing === 'auto' ? endpoint !== undefined : addressing === 'path',
    credentials: credentialsOf(field('blobs.accessKeyId'), field('blobs.secretAccessKey')),
    redirect: field('blobs.redirect').oneOf(['off', 'on']) === 'on',
  };
}

function endpointOf(field: Field): string | undefined {
  const text = field.string();
  if (text === '') return undefined;
  if (URL.canParse(text) && /^https?:/.test(text)) return new URL(text).origin;
  throw field.error("must begin with 'http://' or 'https://'");
}

function prefixOf(field: Field): string {
  const text = field.string(512);
  if (/^$|^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*\/?$/.test(text))
    return text === '' || text.endsWith('/') ? text : `${text}/`;
  throw field.error("must be parts of A-Z, a-z, 0-9, '.', '_' and '-' with '/' between them");
}

function credentialsOf(id: Field, secret: Field): S3Config['credentials'] {
  if (id.string() === '' && secret.string() === '') return undefined;
  return { accessKeyId: id.text(), secretAccessKey: secret.text() };
}
