import { clouds } from './kinds/clouds.ts';
import { files } from './kinds/files.ts';
import { privateKeys } from './kinds/private-keys.ts';
import { services } from './kinds/services.ts';
import type { SecretKind } from './secret-kind.ts';

/** The one list. `docs/reference/secret-kinds.md` is made of it. */
export const secretKinds: readonly SecretKind[] = [...privateKeys, ...clouds, ...services, ...files];

export const secretKindIds: readonly string[] = secretKinds.map(({ id }) => id);

/** Higher whenever the same bytes would give another result; layers that an older one read are then read again. */
export const secretsVersion = 3;
