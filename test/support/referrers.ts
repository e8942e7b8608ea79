import type { Catalog } from './catalog.ts';
import { type Content, content, descriptor, jsonContent, mediaTypes } from './oci-layout.ts';

/** Pushes an artifact that refers to a manifest: a signature, say. @returns its manifest */
export async function referrerOf(
  catalog: Catalog,
  subject: Content,
  text: string,
  tag?: string,
): Promise<Content> {
  const payload = content('application/vnd.example.signature', Buffer.from(text));
  const empty = content('application/vnd.oci.empty.v1+json', Buffer.from('{}'));
  for (const blob of [payload, empty]) await catalog.pushBlob(blob);
  const manifest = jsonContent(mediaTypes.manifest, {
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    artifactType: 'application/vnd.example.signature',
    config: descriptor(empty),
    layers: [descriptor(payload)],
    subject: descriptor(subject),
  });
  await catalog.put(manifest, tag === undefined ? undefined : { tag });
  return manifest;
}
