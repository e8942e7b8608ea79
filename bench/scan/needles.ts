import { createHash } from 'node:crypto';

/** What is in one image, in some of them, and in all: the answers of three sizes. */
export const spreads = ['one', 'some', 'all'] as const;
export type Spread = (typeof spreads)[number];

export interface NeedleIds {
  readonly purl: string;
  readonly advisory: string;
  readonly sha256: string;
  readonly secret: string;
  readonly licence: string;
}

const ofSpread: Readonly<Record<Spread, { secret: string; licence: string }>> = {
  one: { secret: 'stripe-key', licence: 'SSPL-1.0' },
  some: { secret: 'github-token', licence: 'AGPL-3.0-only' },
  all: { secret: 'private-key', licence: 'GPL-2.0-only' },
};

export function needle(spread: Spread): NeedleIds {
  const { secret, licence } = ofSpread[spread];
  const sha256 = createHash('sha256').update(`needle ${spread}`).digest('hex');
  return { purl: `pkg:npm/needle-${spread}`, advisory: `BENCH-NEEDLE-${spread}`, sha256, secret, licence };
}

/** Of houses that have so many. */
const someImages = 100;

/** Whether the image of that number has it. */
export function hasNeedle(image: number, spread: Spread, images: number): boolean {
  if (spread === 'all') return true;
  return spread === 'one' ? image === Math.floor(images / 2) : image % Math.max(2, images / someImages) === 1;
}
