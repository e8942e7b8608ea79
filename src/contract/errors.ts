import Type, { type Static } from 'typebox';
import { type ErrorCode, errorCodes, LazaretError } from '../lib/errors.ts';

/** What every failed request answers with (distribution-spec, "Error Codes"; the management API uses our own codes). */
export const errorBody = Type.Object({
  errors: Type.Array(
    Type.Object({ code: Type.String(), message: Type.String(), detail: Type.Optional(Type.Unknown()) }),
  ),
});
export type ErrorBody = Static<typeof errorBody>;

/** Below /api/v1 errors carry our code; below /v2 the one that the distribution-spec allows. */
export function errorBodyOf(error: LazaretError, dialect: 'api' | 'oci'): ErrorBody {
  const code = dialect === 'api' ? error.code : errorCodes[error.code].oci;
  return {
    errors: [
      { code, message: error.message, ...(error.detail === undefined ? {} : { detail: error.detail }) },
    ],
  };
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCodes, code);
}

/** The error that an answer with `status` and `body` stands for. An answer that is none of ours becomes unavailable. */
export function errorOfBody(status: number, body: unknown): LazaretError {
  const first = firstError(body);
  if (first === undefined)
    return new LazaretError('unavailable', `the server answered with status ${status}`);
  const code = isErrorCode(first.code) ? first.code : codeOfOci(status, first.code);
  return new LazaretError(code, first.message, first.detail === undefined ? {} : { detail: first.detail });
}

interface FirstError {
  readonly code: string;
  readonly message: string;
  readonly detail: Readonly<Record<string, unknown>> | undefined;
}

function firstError(body: unknown): FirstError | undefined {
  if (!isObject(body) || !Array.isArray(body.errors)) return undefined;
  const first: unknown = body.errors[0];
  if (!isObject(first) || typeof first.code !== 'string') return undefined;
  const { code, message, detail } = first;
  return {
    code,
    message: typeof message === 'string' ? message : code,
    detail: isObject(detail) ? detail : detail === undefined ? undefined : { detail },
  };
}

/** The most general of our codes with this status and distribution-spec code. */
function codeOfOci(status: number, oci: string): ErrorCode {
  const codes = Object.keys(errorCodes).filter(isErrorCode);
  return (
    codes.find((code) => errorCodes[code].oci === oci && errorCodes[code].status === status) ??
    codes.find((code) => errorCodes[code].status === status) ??
    'unavailable'
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
