/** What a cell of the table says, and whether an answer is that. */
import { expect } from 'vitest';
import type { Content } from '../support/oci-layout.ts';
import { type DoorWorld, reason } from './world.ts';

export type OciError =
  | 'DENIED'
  | 'BLOB_UNKNOWN'
  | 'MANIFEST_UNKNOWN'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'UNSUPPORTED';

/** `403 DENIED`: refused for a quarantine, whose reason is told. */
export type Cell = number | `${number} ${OciError}`;

/** A method of HTTP whose answers have a body. */
export async function expectCell(response: Response, cell: Cell): Promise<void> {
  const [status, code] = String(cell).split(' ');
  expect(response.status).toBe(Number(status));
  if (code === undefined) return;
  const body: { errors: { code: string; message: string; detail: Record<string, unknown> }[] } = JSON.parse(
    await response.text(),
  );
  expect(body.errors[0]?.code).toBe(code);
  if (code === 'DENIED') expect(body.errors[0]?.detail).toMatchObject({ quarantine: 'Q-1', reason });
}

/** The status alone, as HEAD answers it. */
export function statusOf(cell: Cell): number {
  return Number(String(cell).split(' ')[0]);
}

export async function expectBytes(response: Response, { bytes }: Content): Promise<void> {
  expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
}

/** What a replica says to whoever pushes: where home is. */
export async function expectSentHome(response: Response, world: DoorWorld): Promise<void> {
  expect(response.status).toBe(403);
  expect(await response.text()).toContain(world.home.server.url);
}

/** As part of a tag. */
export function slug(name: string): string {
  return name.replace(/[^A-Za-z0-9]+/g, '-');
}
