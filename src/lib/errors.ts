/**
 * The closed set of errors that a wrong world can produce, as data: what each code means, the HTTP status it is
 * answered with, and the distribution-spec code it becomes under `/v2/`. Programmer errors are assertions instead.
 */
export const errorCodes = {
  blobUnknown: { status: 404, oci: 'BLOB_UNKNOWN', meaning: 'this repository holds no such blob' },
  uploadInvalid: {
    status: 400,
    oci: 'BLOB_UPLOAD_INVALID',
    meaning: 'the upload cannot be continued as asked',
  },
  uploadRange: {
    status: 416,
    oci: 'BLOB_UPLOAD_INVALID',
    meaning: 'the chunk does not start where the upload stands',
  },
  uploadUnknown: { status: 404, oci: 'BLOB_UPLOAD_UNKNOWN', meaning: 'no such upload session' },
  digestInvalid: {
    status: 400,
    oci: 'DIGEST_INVALID',
    meaning: 'the content does not have the digest it was given',
  },
  manifestBlobUnknown: {
    status: 404,
    oci: 'MANIFEST_BLOB_UNKNOWN',
    meaning: 'the manifest names a blob that is not here',
  },
  manifestInvalid: { status: 400, oci: 'MANIFEST_INVALID', meaning: 'the manifest is malformed' },
  manifestTooLarge: { status: 413, oci: 'MANIFEST_INVALID', meaning: 'the manifest is over the size limit' },
  manifestUnknown: { status: 404, oci: 'MANIFEST_UNKNOWN', meaning: 'no such manifest or tag' },
  manifestReferenced: {
    status: 405,
    oci: 'UNSUPPORTED',
    meaning: 'a manifest in service still names this content',
  },
  nameInvalid: { status: 400, oci: 'NAME_INVALID', meaning: 'not a valid repository name or tag' },
  nameUnknown: { status: 404, oci: 'NAME_UNKNOWN', meaning: 'no such repository' },
  sizeInvalid: {
    status: 400,
    oci: 'SIZE_INVALID',
    meaning: 'the content does not have the size it was given',
  },
  rangeInvalid: { status: 416, oci: 'SIZE_INVALID', meaning: 'the requested range is outside the blob' },
  unauthorized: { status: 401, oci: 'UNAUTHORIZED', meaning: 'credentials are missing or wrong' },
  denied: { status: 403, oci: 'DENIED', meaning: 'the caller may not do this' },
  quotaExceeded: {
    status: 403,
    oci: 'DENIED',
    meaning: 'the account has no room left for this; detail has its quota',
  },
  quarantined: { status: 403, oci: 'DENIED', meaning: 'the content is under quarantine' },
  readOnlyReplica: {
    status: 403,
    oci: 'DENIED',
    meaning: 'this region holds a replica; push to the home region',
  },
  unsupported: { status: 405, oci: 'UNSUPPORTED', meaning: 'the operation is not supported' },
  tooManyRequests: { status: 429, oci: 'TOOMANYREQUESTS', meaning: 'slow down and try again' },
  invalid: {
    status: 400,
    oci: 'UNSUPPORTED',
    meaning: 'the request is malformed; detail.path names the field',
  },
  tooLarge: { status: 413, oci: 'SIZE_INVALID', meaning: 'the request is over a limit, which detail names' },
  notFound: { status: 404, oci: 'NAME_UNKNOWN', meaning: 'there is no such object' },
  conflict: { status: 409, oci: 'UNSUPPORTED', meaning: 'the object exists already or is in another state' },
  planStale: {
    status: 409,
    oci: 'UNSUPPORTED',
    meaning: 'what the plan would do has changed; make a fresh plan',
  },
  regionUnknown: { status: 404, oci: 'NAME_UNKNOWN', meaning: 'there is no such region' },
  instanceUnknown: { status: 404, oci: 'NAME_UNKNOWN', meaning: 'there is no such instance' },
  grantMissing: {
    status: 403,
    oci: 'DENIED',
    meaning: 'the owner of the image has not granted it to this account',
  },
  configInvalid: {
    status: 500,
    oci: 'UNSUPPORTED',
    meaning: 'the configuration is malformed; detail.path names the key',
  },
  dataFolderInUse: { status: 500, oci: 'UNSUPPORTED', meaning: 'another server uses this data folder' },
  storeMissing: { status: 500, oci: 'BLOB_UNKNOWN', meaning: 'the blob store does not have these bytes' },
  requestTimeout: {
    status: 408,
    oci: 'BLOB_UPLOAD_INVALID',
    meaning: 'the request came too slowly; an upload can be gone on with',
  },
  storeFull: {
    status: 503,
    oci: 'TOOMANYREQUESTS',
    meaning: 'the blob store has no room; what was not acknowledged is given back, try again later',
  },
  unavailable: {
    status: 503,
    oci: 'TOOMANYREQUESTS',
    meaning: 'a store or region cannot be reached; try again',
  },
  internal: { status: 500, oci: 'UNSUPPORTED', meaning: 'a defect in Lazaret; the log has the cause' },
} as const satisfies Record<string, { status: number; oci: string; meaning: string }>;

export type ErrorCode = keyof typeof errorCodes;

export type ErrorDetail = Readonly<Record<string, unknown>>;

/** An expected failure of the world, with a code of the closed set, a sentence for a person and the cause. */
export class LazaretError extends Error {
  readonly code: ErrorCode;
  readonly detail: ErrorDetail | undefined;

  constructor(code: ErrorCode, message: string, options: { detail?: ErrorDetail; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LazaretError';
    this.code = code;
    this.detail = options.detail;
  }
}

export function hasCode(error: unknown, code: ErrorCode): error is LazaretError {
  return error instanceof LazaretError && error.code === code;
}

/** `a: b: c`, from the outermost message to the root cause. */
export function causeChain(error: unknown): string {
  const messages: string[] = [];
  for (
    let at: unknown = error;
    at !== undefined && messages.length < 10;
    at = at instanceof Error ? at.cause : undefined
  )
    messages.push(at instanceof Error ? at.message : String(at));
  return messages.join(': ');
}

/** For the default branch of a switch over a union: a type error when a case is missing. */
export function assertNever(value: never): never {
  throw new Error(`unexpected value ${JSON.stringify(value)}`);
}
