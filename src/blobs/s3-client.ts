/**
 * The requests that the S3 driver makes, thin: a missing object is undefined, everything else that S3 or the network says
 * becomes unavailable, or storeFull, with the cause. Bodies are whole buffers, so that every request can be repeated.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  ListPartsCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { LazaretError } from '../lib/errors.ts';
import { limits } from '../lib/limits.ts';
import type { S3Config } from './s3-config.ts';

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
}

export interface ListedObject {
  readonly name: string;
  readonly sizeBytes: number;
  readonly changedAt: number;
}

export interface ListedMultipart {
  readonly name: string;
  readonly id: string;
  readonly beganAt: number;
}

/** Names are below the configured prefix. */
export class S3Requests {
  readonly client: S3Client;
  /** For the bytes of blobs: however many are read slowly, other requests have connections. */
  readonly reader: S3Client;
  readonly #bucket: string;
  readonly #prefix: string;

  constructor(config: S3Config) {
    this.client = new S3Client(clientOptions(config, 'requests'));
    this.reader = new S3Client(clientOptions(config, 'blobs'));
    this.#bucket = config.bucket;
    this.#prefix = config.prefix;
  }

  close(): void {
    this.client.destroy();
    this.reader.destroy();
  }

  at(name: string): { Bucket: string; Key: string } {
    return { Bucket: this.#bucket, Key: this.#prefix + name };
  }

  async head(name: string) {
    return ifThere(() =>
      s3('to look for an object', () => this.client.send(new HeadObjectCommand(this.at(name)))),
    );
  }

  /** A small object, whole. */
  async get(name: string) {
    return ifThere(() =>
      s3('to read an object', async () => {
        const answer = await this.client.send(new GetObjectCommand(this.at(name)));
        const body = (await answer.Body?.transformToByteArray()) ?? new Uint8Array(0);
        return { body, metadata: answer.Metadata ?? {} };
      }),
    );
  }

  /** @param options.absent only if there is none; else PreconditionFailed is the cause */
  async put(
    name: string,
    body: Uint8Array,
    options: { metadata?: Record<string, string>; absent?: boolean } = {},
  ): Promise<void> {
    const { metadata: Metadata, absent } = options;
    const input = { ...this.at(name), Body: body, ...(Metadata && { Metadata }) };
    const condition = absent ? { IfNoneMatch: '*' } : {};
    await s3('to write an object', () => this.client.send(new PutObjectCommand({ ...input, ...condition })));
  }

  async deleteAll(names: readonly string[]): Promise<void> {
    for (let from = 0; from < names.length; from += limits.storeDeleteBatch) {
      const Objects = names.slice(from, from + limits.storeDeleteBatch).map((name) => ({
        Key: this.#prefix + name,
      }));
      const { Errors = [] } = await s3('to delete objects', () =>
        this.client.send(
          new DeleteObjectsCommand({ Bucket: this.#bucket, Delete: { Objects, Quiet: true } }),
        ),
      );
      const [first] = Errors;
      if (first) throw notDeleted(Errors.length, `${first.Code}: ${first.Message ?? first.Key}`);
    }
  }

  async *list(prefix: string, signal?: AbortSignal): AsyncGenerator<ListedObject> {
    for (let ContinuationToken: string | undefined; ; ) {
      signal?.throwIfAborted();
      const input = { Bucket: this.#bucket, Prefix: this.#prefix + prefix };
      const page = await s3('to list objects', () =>
        this.client.send(
          new ListObjectsV2Command({ ...input, ...(ContinuationToken && { ContinuationToken }) }),
        ),
      );
      for (const { Key, Size = 0, LastModified } of page.Contents ?? [])
        if (Key !== undefined)
          yield {
            name: Key.slice(this.#prefix.length),
            sizeBytes: Size,
            changedAt: LastModified?.getTime() ?? 0,
          };
      ContinuationToken = page.NextContinuationToken;
      if (!page.IsTruncated || ContinuationToken === undefined) return;
    }
  }

  async multipartBegin(name: string): Promise<string> {
    const { UploadId } = await s3('to begin an upload', () =>
      this.client.send(new CreateMultipartUploadCommand(this.at(name))),
    );
    if (UploadId === undefined) throw new LazaretError('unavailable', 'S3 began an upload without a name');
    return UploadId;
  }

  async partPut(part: {
    name: string;
    id: string;
    number: number;
    body: Uint8Array;
  }): Promise<Part | undefined> {
    const { name, id, number, body } = part;
    const input = { ...this.at(name), UploadId: id, PartNumber: number, Body: body };
    return ifThere(async () => {
      const { ETag } = await s3('while a blob was written', () =>
        this.client.send(new UploadPartCommand(input)),
      );
      if (ETag === undefined) throw new LazaretError('unavailable', 'S3 took a part without an ETag');
      return { number, etag: ETag, sizeBytes: body.byteLength };
    });
  }

  /** Sorted by number; undefined if there is no such upload. */
  async parts(name: string, id: string): Promise<Part[] | undefined> {
    return ifThere(async () => {
      const parts: Part[] = [];
      for (let PartNumberMarker: string | undefined; ; ) {
        const input = { ...this.at(name), UploadId: id, ...(PartNumberMarker && { PartNumberMarker }) };
        const page = await s3('to measure an upload', () => this.client.send(new ListPartsCommand(input)));
        for (const { PartNumber, ETag, Size } of page.Parts ?? [])
          if (PartNumber !== undefined && ETag !== undefined)
            parts.push({ number: PartNumber, etag: ETag, sizeBytes: Size ?? 0 });
        PartNumberMarker = page.NextPartNumberMarker;
        if (!page.IsTruncated || PartNumberMarker === undefined) break;
      }
      return parts.sort((a, b) => a.number - b.number);
    });
  }

  /** @returns false if there is no such upload (any more) */
  async multipartComplete(name: string, id: string, parts: readonly Part[]): Promise<boolean> {
    const Parts = parts.map(({ number, etag }) => ({ PartNumber: number, ETag: etag }));
    const input = { ...this.at(name), UploadId: id, MultipartUpload: { Parts } };
    const done = await ifThere(() =>
      s3('to commit a blob', () => this.client.send(new CompleteMultipartUploadCommand(input))),
    );
    return done !== undefined;
  }

  async multipartAbort(name: string, id: string): Promise<void> {
    const input = { ...this.at(name), UploadId: id };
    await ifThere(() =>
      s3('to end an upload', () => this.client.send(new AbortMultipartUploadCommand(input))),
    );
  }

  async *multiparts(prefix: string): AsyncGenerator<ListedMultipart> {
    for (let marker: { KeyMarker: string; UploadIdMarker?: string } | undefined; ; ) {
      const input = { Bucket: this.#bucket, Prefix: this.#prefix + prefix, ...marker };
      const page = await s3('to list uploads', () =>
        this.client.send(new ListMultipartUploadsCommand(input)),
      );
      for (const { Key, UploadId, Initiated } of page.Uploads ?? [])
        if (Key !== undefined && UploadId !== undefined)
          yield { name: Key.slice(this.#prefix.length), id: UploadId, beganAt: Initiated?.getTime() ?? 0 };
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker } = page;
      if (!page.IsTruncated || !KeyMarker) return;
      marker = { KeyMarker, ...(NextUploadIdMarker && { UploadIdMarker: NextUploadIdMarker }) };
    }
  }
}

/** The name that S3 gives an error, also under LazaretErrors. */
export function s3ErrorName(error: unknown): string | undefined {
  if (error instanceof LazaretError) return s3ErrorName(error.cause);
  return error instanceof Error ? error.name : undefined;
}

/** @throws unavailable, storeFull; a defect as it is */
export async function s3<T>(doing: string, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    throw s3Failure(doing, error);
  }
}

const fullNames = ['QuotaExceeded', 'InsufficientStorage', 'XMinioStorageFull', 'XMinioBackendDown'];

export function s3Failure(doing: string, error: unknown): unknown {
  if (error instanceof LazaretError || !(error instanceof Error)) return error;
  const { status, answered } = httpOf(error);
  // What is neither an answer of S3 nor of the network is a defect of ours.
  if (!answered && !('code' in error) && !/Timeout|Abort|Credentials/.test(error.name)) return error;
  if (status === 507 || fullNames.includes(error.name))
    return new LazaretError('storeFull', `the blob store is full: ${error.name}`, { cause: error });
  return new LazaretError('unavailable', `the blob store failed ${doing}: ${error.name}`, { cause: error });
}

async function ifThere<T>(request: () => Promise<T>): Promise<T | undefined> {
  try {
    return await request();
  } catch (error) {
    const name = s3ErrorName(error);
    if (name === 'NotFound' || name === 'NoSuchKey' || name === 'NoSuchUpload') return undefined;
    throw error;
  }
}

function httpOf(error: Error): { status: number | undefined; answered: boolean } {
  if (!('$metadata' in error) || typeof error.$metadata !== 'object' || error.$metadata === null)
    return { status: undefined, answered: false };
  const status = 'httpStatusCode' in error.$metadata ? error.$metadata.httpStatusCode : undefined;
  return { status: typeof status === 'number' ? status : undefined, answered: true };
}

function notDeleted(count: number, first: string): LazaretError {
  return new LazaretError(
    'unavailable',
    `the blob store did not delete ${count} objects; the first: ${first}`,
  );
}

function clientOptions(config: S3Config, use: 'requests' | 'blobs') {
  const { endpoint, region, pathStyle, credentials } = config;
  const maxSockets = use === 'blobs' ? limits.openStreamsMax : limits.storeSocketsMax;
  const agent = { keepAlive: true, maxSockets };
  return {
    region,
    forcePathStyle: pathStyle,
    ...(endpoint !== undefined && { endpoint }),
    ...(credentials !== undefined && { credentials }),
    maxAttempts: limits.storeAttemptsMax,
    // Other servers than Amazon's refuse the checksums that the SDK would add by itself.
    requestChecksumCalculation: 'WHEN_REQUIRED' as const,
    responseChecksumValidation: 'WHEN_REQUIRED' as const,
    requestHandler: {
      connectionTimeout: limits.storeConnectMs,
      requestTimeout: limits.storeRequestMs,
      throwOnRequestTimeout: true,
      // It would also end what a slow client reads: S3Stream measures only its own waiting.
      socketTimeout: use === 'blobs' ? 0 : limits.storeRequestMs,
      httpAgent: agent,
      httpsAgent: agent,
    },
  };
}
