import { randomBytes } from 'node:crypto';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { S3Config } from '../../src/blobs/s3-config.ts';
import type { S3Account } from './radosgw.ts';

/** A new bucket, from its root. */
export async function freshBucket({ endpoint, accessKeyId, secretAccessKey }: S3Account): Promise<S3Config> {
  const server = { endpoint, credentials: { accessKeyId, secretAccessKey }, region: 'us-east-1' };
  const bucket = `tests-${randomBytes(6).toString('hex')}`;
  const client = new S3Client({ ...server, forcePathStyle: true });
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  client.destroy();
  return { ...server, bucket, prefix: '', pathStyle: true, redirect: false };
}

/** A place of its own in it. */
export function placeIn(bucket: S3Config): S3Config {
  return { ...bucket, prefix: `${randomBytes(6).toString('hex')}/` };
}

/** The variables of a server that keeps its blobs there. */
export function s3Environment(config: S3Config): Record<string, string> {
  return {
    LAZARET_BLOBS_KIND: 's3',
    LAZARET_BLOBS_BUCKET: config.bucket,
    LAZARET_BLOBS_PREFIX: config.prefix,
    LAZARET_BLOBS_ENDPOINT: config.endpoint ?? '',
    LAZARET_BLOBS_ACCESS_KEY_ID: config.credentials?.accessKeyId ?? '',
    LAZARET_BLOBS_SECRET_ACCESS_KEY: config.credentials?.secretAccessKey ?? '',
  };
}
