import { blobFetch, blobStat, manifestFetch, manifestStat } from '../../client/distribution-pull.ts';
import type { RegistrySession } from '../../client/registry-session.ts';
import { hasCode } from '../../lib/errors.ts';
import type { Digest } from '../../oci/digest.ts';

/** What the destination says it has. A refusal by HEAD comes without a reason, which GET then tells. */
export class ImportTarget {
  readonly session: RegistrySession;
  readonly signal: AbortSignal;

  constructor(session: RegistrySession, signal: AbortSignal) {
    this.session = session;
    this.signal = signal;
  }

  /** @returns the digest that a tag points to, or of the manifest. @throws quarantined, denied */
  async manifest(repository: string, reference: string): Promise<Digest | undefined> {
    const asked = { repository, reference, signal: this.signal };
    try {
      return (await manifestStat(this.session, asked))?.digest;
    } catch (error) {
      if (!hasCode(error, 'denied')) throw error;
      return (await manifestFetch(this.session, asked))?.digest;
    }
  }

  /** @throws quarantined, denied */
  async hasBlob(repository: string, digest: Digest): Promise<boolean> {
    const asked = { repository, digest, signal: this.signal };
    try {
      return (await blobStat(this.session, asked)) !== undefined;
    } catch (error) {
      if (!hasCode(error, 'denied')) throw error;
      const source = await blobFetch(this.session, { ...asked, offset: 0 });
      for await (const _ of source ?? []) break;
      return source !== undefined;
    }
  }
}
