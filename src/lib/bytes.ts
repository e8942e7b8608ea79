import { LazaretError } from './errors.ts';

const units: Readonly<Record<string, number>> = {
  '': 1,
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};

/** Bytes of `500MB`, `10GiB`, `1.5TiB`, `1024`. @throws invalid */
export function parseBytes(text: string, path = 'size'): number {
  const [, number = '', unit = ''] = /^(\d{1,12}(?:\.\d{1,3})?) ?([A-Za-z]*)$/.exec(text) ?? [];
  const factor = Object.hasOwn(units, unit) ? units[unit] : undefined;
  const bytes = Math.floor(Number(number) * (factor ?? Number.NaN));
  if (number !== '' && Number.isSafeInteger(bytes)) return bytes;
  throw new LazaretError(
    'invalid',
    `${path}: '${text.slice(0, 40)}' is not a size such as 500MB, 10GiB or 1TiB`,
    { detail: { path } },
  );
}
