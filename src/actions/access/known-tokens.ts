import { limits } from '../../lib/limits.ts';
import { signingKeyByKid } from '../../records/access/signing-keys.ts';
import type { KeyDeps } from './signing-keys.ts';
import { tokenVerified, type VerifiedToken } from './tokens.ts';

/**
 * Tokens whose signature was found good. A signature does not turn bad; what ends a token is looked at each time: its own
 * end, and that the key that signed it is still in service. Tokens are known by their sha256, not as they are.
 */
export class KnownTokens {
  readonly #deps: KeyDeps & { readonly service: string };
  /** In the order in which they came. */
  readonly #known = new Map<string, VerifiedToken>();

  constructor(deps: KeyDeps & { readonly service: string }) {
    this.#deps = deps;
  }

  /** @param proof the token's sha256. @throws unauthorized */
  async verified(token: string, proof: string): Promise<VerifiedToken> {
    const known = this.#known.get(proof);
    if (known && (await this.#isGood(known))) return known;
    this.#known.delete(proof);
    const fresh = await tokenVerified(this.#deps, token, this.#deps.service);
    this.#known.set(proof, fresh);
    const [oldest] = this.#known.keys();
    if (this.#known.size > limits.tokensRememberedMax && oldest !== undefined) this.#known.delete(oldest);
    return fresh;
  }

  async #isGood({ expiresAtMs, kid }: VerifiedToken): Promise<boolean> {
    const { clock, database } = this.#deps;
    return clock.wallMs() < expiresAtMs && (await signingKeyByKid(database.read, kid)) !== undefined;
  }
}
