/**
 * One S3 server for a whole run of the tests, started when the first test asks for it. Test files run in processes of
 * their own, so they ask over HTTP; `global-setup.ts` answers.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { inject } from 'vitest';
import type { S3Config } from '../../src/blobs/s3-config.ts';
import { causeChain } from '../../src/lib/errors.ts';
import { type S3Account, startRadosgw } from './radosgw.ts';
import { freshBucket, placeIn } from './s3-place.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Where `s3Server` asks. */
    s3Broker: string;
  }
}

type Answer = { readonly account: S3Account } | { readonly missing: string };

/** Answers each who asks with the one server. */
export async function startS3Broker(): Promise<{ url: string; stop(): Promise<void> }> {
  let server: ReturnType<typeof startRadosgw> | undefined;
  const broker = createServer(async (_request, response) => {
    server ??= startRadosgw();
    const answer: Answer = await server.then(
      ({ endpoint, accessKeyId, secretAccessKey }) => ({
        account: { endpoint, accessKeyId, secretAccessKey },
      }),
      (error: unknown) => ({ missing: causeChain(error) }),
    );
    response.setHeader('connection', 'close').end(JSON.stringify(answer));
  }).listen(0, '127.0.0.1');
  await once(broker, 'listening');
  const address = broker.address();
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      broker.close();
      const started = await server?.catch(() => undefined);
      await started?.stop();
    },
  };
}

export interface S3Server {
  readonly account: S3Account;
  /** A place of its own in a bucket; everything is forgotten when the run ends. */
  readonly place: () => S3Config;
}

/** The server, with a bucket; or why there is none here, which belongs into the names of skipped tests. */
export async function s3Server(): Promise<S3Server | { readonly missing: string }> {
  const answer: Answer = JSON.parse(await (await fetch(inject('s3Broker'))).text());
  if ('missing' in answer) return answer;
  const { account } = answer;
  const bucket = await freshBucket(account);
  return { account, place: () => placeIn(bucket) };
}
