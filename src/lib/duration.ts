import { LazaretError } from './errors.ts';
import { limits } from './limits.ts';

const units = [
  { name: 'd', ms: 86_400_000 },
  { name: 'h', ms: 3_600_000 },
  { name: 'm', ms: 60_000 },
  { name: 's', ms: 1_000 },
  { name: 'ms', ms: 1 },
] as const;

/** Milliseconds of `500ms`, `10s`, `5m`, `24h`, `7d`: an integer and one unit. @throws invalid */
export function parseDuration(text: string, path = 'duration'): number {
  const match = /^(\d{1,15})(ms|s|m|h|d)$/.exec(text);
  const unit = units.find(({ name }) => name === match?.[2]);
  if (match === null || unit === undefined)
    throw new LazaretError(
      'invalid',
      `${path}: '${text.slice(0, 40)}' is not a duration such as 500ms, 10s, 5m, 24h or 7d`,
      {
        detail: { path },
      },
    );
  const ms = Number(match[1]) * unit.ms;
  if (ms > limits.durationMaxMs)
    throw new LazaretError(
      'invalid',
      `${path}: '${text}' is longer than ${formatDuration(limits.durationMaxMs)}`,
      {
        detail: { path },
      },
    );
  return ms;
}

/** The shortest exact text that `parseDuration` reads back: the largest unit that divides. */
export function formatDuration(ms: number): string {
  const unit = ms === 0 ? units[3] : units.find((candidate) => ms % candidate.ms === 0);
  return unit === undefined ? `${Math.round(ms)}ms` : `${ms / unit.ms}${unit.name}`;
}
