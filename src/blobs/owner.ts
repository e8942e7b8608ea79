import { LazaretError } from '../lib/errors.ts';

/** What `region.json` says: the region that the store belongs to. */
export function ownerText(region: string): string {
  return `${JSON.stringify({ region })}\n`;
}

/** @throws unavailable if `text`, found at `path`, is damaged */
export function parseOwner(path: string, text: string): string {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new LazaretError('unavailable', `${path} is not JSON`, { cause });
  }
  if (typeof value === 'object' && value !== null && 'region' in value && typeof value.region === 'string')
    return value.region;
  throw new LazaretError('unavailable', `${path} names no region`);
}
