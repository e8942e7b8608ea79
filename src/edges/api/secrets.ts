import { currentFingerprintKey } from '../../actions/inspect/fingerprint-key.ts';
import { secretFingerprint } from '../../contract/secrets.ts';
import { LazaretError } from '../../lib/errors.ts';
import type { Database } from '../../records/db/database.ts';
import { fingerprintKeyList } from '../../records/inventory/fingerprint-keys.ts';
import { fingerprintOf, formatFingerprint } from '../../secrets/fingerprint.ts';
import { secretsIn } from '../../secrets/secret-scan.ts';
import { type BoundRoute, bind } from './bind.ts';

export function secretRoutes({ database }: { readonly database: Database }): BoundRoute[] {
  return [
    bind(secretFingerprint, async ({ body }) => {
      const bytes = Buffer.from(body.value, 'base64');
      if (bytes.length === 0)
        throw new LazaretError('invalid', 'value: must be base64', { detail: { path: 'value' } });
      await currentFingerprintKey(database);
      const keys = await fingerprintKeyList(database.read);
      const values = valuesIn(bytes);
      return {
        fingerprints: keys.flatMap((key) =>
          values.map((value) => formatFingerprint(key.version, fingerprintOf(key, value))),
        ),
      };
    }),
  ];
}

/** As it is, without the line end that a shell or an editor adds, and what an inspection would find in it: a key's file. */
function valuesIn(bytes: Buffer): string[] {
  const text = bytes.toString('latin1');
  const found = secretsIn(bytes, 'secret').map(({ value }) => value);
  return [...new Set([text, text.replace(/[\r\n]+$/, ''), ...found])].filter((value) => value !== '');
}
