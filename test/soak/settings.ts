/** How short everything is that lasts hours in production. Milliseconds. */
export const graceMs = 3_000;

export const shortLimits = {
  uploadHoldMs: 4_000,
  holdExtendEveryMs: 500,
  uploadIdleMs: 8_000,
  /** So that the storm's small layers are written to S3 in parts. The S3 server of the tests takes such. */
  storePartBytes: 8 * 1024,
} as const;

/** The settings of every server of the soak. */
export const serverSettings = {
  LAZARET_COLLECTION_GRACE: `${graceMs / 1_000}s`,
  LAZARET_COLLECTION_INTERVAL: '1s',
  LAZARET_RETENTION_INTERVAL: '5s',
  LAZARET_INSPECTION_WORKERS: '1',
  LAZARET_LOG_LEVEL: 'error',
  LAZARET_LISTEN_HOST: '127.0.0.1',
} as const;

/** A dead server's last transaction may still be on its way inside PostgreSQL. */
export const afterDeathMs = 1_000;
