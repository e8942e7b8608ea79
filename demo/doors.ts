/** What a registry's doors say about something that is refused. */
import assert from 'node:assert/strict';
import type { Content, Image, Layer } from '../test/support/oci-layout.ts';
import { type Answer, type Refusal, type Registry, refusalOf } from './registry.ts';

interface Expected {
  /** What is meant to be refused. */
  readonly image: Image;
  readonly layer: Layer;
  /** The tag of the image, if it has one. */
  readonly tag?: string;
  /** Stands in the message of every refusal. */
  readonly reason: string;
}

/** GET by tag, GET and HEAD by digest and of the layer itself. @throws AssertionError unless each is a 403 that says why */
export async function assertAllRefused(registry: Registry, expected: Expected): Promise<Refusal> {
  const { image, layer, tag, reason } = expected;
  const { digest } = image.manifest;
  const refusal = assertRefused(await registry.manifest(digest), reason);
  if (tag !== undefined) assertRefused(await registry.manifest(tag), reason);
  assertRefused(await registry.blob(layer.digest), reason);
  assert.equal((await registry.manifest(digest, 'HEAD')).status, 403, 'HEAD of the manifest by digest');
  assert.equal((await registry.blob(layer.digest, 'HEAD')).status, 403, 'HEAD of the layer');
  return refusal;
}

/** @throws AssertionError unless it is 403 DENIED with the reason */
export function assertRefused(answer: Answer, reason: string): Refusal {
  const refusal = refusalOf(answer);
  assert.equal(refusal.status, 403, refusal.message);
  assert.equal(refusal.code, 'DENIED');
  assert.ok(refusal.message.includes(reason), `'${refusal.message}' does not say '${reason}'`);
  return refusal;
}

export async function assertServed(registry: Registry, content: Content): Promise<void> {
  const { status } = await registry.blob(content.digest, 'HEAD');
  assert.equal(status, 200, `HEAD of ${content.digest}`);
}
