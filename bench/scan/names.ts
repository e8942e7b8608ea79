import { createHash } from 'node:crypto';

export function cveOf(n: number): string {
  return `CVE-2026-${100_000 + n}`;
}

export function digestOf(kind: string, n: number): string {
  return `sha256:${createHash('sha256').update(`${kind} ${n}`).digest('hex')}`;
}
