import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from './config.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lazaret-blobs-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function blobs(yaml: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'lazaret.yaml');
  writeFileSync(file, yaml);
  return (await loadConfig({ environment, file })).config.blobs;
}

describe('the configuration of S3', () => {
  it('needs a bucket, and takes credentials from the machine unless it is told', async () => {
    expect(await blobs('blobs: { kind: s3, bucket: layers }')).toEqual({
      kind: 's3',
      bucket: 'layers',
      prefix: '',
      endpoint: undefined,
      region: 'us-east-1',
      pathStyle: false,
      credentials: undefined,
      redirect: false,
    });
  });

  it('names the bucket in the path at an endpoint, and reads the secret from its file', async () => {
    const secret = join(folder, 'secret');
    writeFileSync(secret, 'top\n');
    const yaml =
      'blobs: { kind: s3, bucket: layers, prefix: eu, endpoint: "https://s3.example/", redirect: on }';
    const environment = {
      LAZARET_BLOBS_ACCESS_KEY_ID: 'id',
      LAZARET_BLOBS_SECRET_ACCESS_KEY_FILE: secret,
      LAZARET_BLOBS_BUCKET_REGION: 'eu-central-1',
    };
    expect(await blobs(yaml, environment)).toEqual({
      kind: 's3',
      bucket: 'layers',
      prefix: 'eu/',
      endpoint: 'https://s3.example',
      region: 'eu-central-1',
      pathStyle: true,
      credentials: { accessKeyId: 'id', secretAccessKey: 'top' },
      redirect: true,
    });
    expect(await blobs(yaml, { LAZARET_BLOBS_ADDRESSING: 'host' })).toMatchObject({ pathStyle: false });
  });

  it.each([
    ['kind: s3', 'blobs.bucket'],
    ['kind: s3, bucket: b, prefix: /eu', 'blobs.prefix'],
    ['kind: s3, bucket: b, endpoint: s3.example', 'blobs.endpoint'],
    ['kind: s3, bucket: b, addressing: other', 'blobs.addressing'],
    ['kind: s3, bucket: b, accessKeyId: id', 'blobs.secretAccessKey'],
    ['kind: s3, bucket: b, secretAccessKey: x', 'blobs.accessKeyId'],
    ['kind: s3, bucket: b, redirect: 1h', 'blobs.redirect'],
    ['kind: s4', 'blobs.kind'],
  ])('refuses %s and names %s', async (yaml, path) => {
    await expect(blobs(`blobs: { ${yaml} }`)).rejects.toMatchObject({
      code: 'configInvalid',
      detail: { path },
    });
  });
});
