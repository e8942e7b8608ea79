import type { Exceptions } from './ratchet.ts';

/** Files over the limit of lines, and why: may only shrink. */
export const longFileExceptions: Exceptions = {
  // One contract, whatever the driver.
  'test/support/blob-store-contract.ts': 401,
};

/** Functions over the limit of lines, and why: may only shrink. */
export const longFunctionExceptions: Exceptions = {};

/** Files of the product, other than `src/server/config/env.ts`, that read environment variables, and what for. */
export const environmentReaders: Readonly<Record<string, string>> = {};
