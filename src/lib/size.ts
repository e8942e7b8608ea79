import { LazaretError } from './errors.ts';

const units = [
  { name: 'TiB', bytes: 1024 ** 4 },
  { name: 'GiB', bytes: 1024 ** 3 },
  { name: 'MiB', bytes: 1024 ** 2 },
  { name: 'KiB', bytes: 1024 },
  { name: 'B', bytes: 1 },
] as const;

/** Bytes of `10GiB`, `4MiB`, `512KiB`, `100B`: an integer and one binary unit. @throws invalid */
export function parseSize(text: string, path = 'size'): number {
  const match = /^(\d{1,16})(B|KiB|MiB|GiB|TiB)$/.exec(text);
  const unit = units.find(({ name }) => name === match?.[2]);
  const bytes = Number(match?.[1]) * (unit?.bytes ?? Number.NaN);
  if (Number.isSafeInteger(bytes)) return bytes;
  throw new LazaretError(
    'invalid',
    `${path}: '${text.slice(0, 40)}' is not a size such as 100B, 512KiB, 4MiB or 10GiB`,
    {
      detail: { path },
    },
  );
}

/** The shortest exact text that `parseSize` reads back: the largest unit that divides. */
export function formatSize(bytes: number): string {
  const unit = bytes === 0 ? undefined : units.find((candidate) => bytes % candidate.bytes === 0);
  return unit === undefined ? `${bytes}B` : `${bytes / unit.bytes}${unit.name}`;
}
