import { LazaretError } from '../lib/errors.ts';
import { type Field, parseJsonField } from '../lib/fields.ts';
import { limits } from '../lib/limits.ts';
import { parseDigestField } from './descriptor.ts';
import type { Digest } from './digest.ts';

/** What an image's config says about where it runs, of what, and how (image-spec, config.md). */
export interface ImageConfig {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  /** RFC 3339, as written. */
  readonly created?: string;
  /** The digest of each layer's uncompressed tar, bottom first; claimed by whoever wrote the config. */
  readonly diffIds: readonly Digest[];
  readonly config: RuntimeConfig;
  /** How each step says it was made; empty where it does not. */
  readonly history: readonly string[];
}

export interface RuntimeConfig {
  readonly user: string;
  /** `NAME=value` */
  readonly env: readonly string[];
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly workingDir: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `8080/tcp` */
  readonly exposedPorts: readonly string[];
  readonly stopSignal?: string;
}

/**
 * Whether it says where it runs. Attestations (BuildKit: `unknown`) and signatures (cosign: nothing) come with an image's
 * config that does not.
 */
export function namesPlatform({ os }: ImageConfig): boolean {
  return os !== '' && os !== 'unknown';
}

const listMax = 10_000;

/** Unknown fields are ignored, `null` means absent. @throws tooLarge, manifestInvalid with `detail.path` */
export function parseImageConfig(bytes: Uint8Array): ImageConfig {
  if (bytes.length > limits.configBytesMax)
    throw new LazaretError(
      'tooLarge',
      `an image config of ${bytes.length} bytes; at most ${limits.configBytesMax} are accepted`,
      {
        detail: { limit: 'configBytesMax', bytes: bytes.length },
      },
    );
  const document = parseJsonField(bytes, 'config', 'manifestInvalid');
  const variant = document.optionalOrNull('variant')?.string();
  const created = document.optionalOrNull('created')?.string();
  return {
    architecture: document.member('architecture').string(),
    os: document.member('os').string(),
    ...(variant ? { variant } : {}),
    ...(created ? { created } : {}),
    diffIds: parseRootfs(document.member('rootfs')),
    config: parseRuntime(document.optionalOrNull('config')),
    history:
      document
        .optionalOrNull('history')
        ?.items(listMax)
        .map((step) => step.optionalOrNull('created_by')?.string(limits.configBytesMax) ?? '') ?? [],
  };
}

function parseRootfs(rootfs: Field): readonly Digest[] {
  rootfs.member('type').oneOf(['layers']);
  const diffIds = rootfs.member('diff_ids');
  return diffIds.value === null ? [] : diffIds.items(limits.manifestLayersMax).map(parseDigestField);
}

function parseRuntime(config: Field | undefined): RuntimeConfig {
  const texts = (key: string) =>
    config
      ?.optionalOrNull(key)
      ?.items(listMax)
      .map((item) => item.string(limits.configBytesMax)) ?? [];
  const text = (key: string) => config?.optionalOrNull(key)?.string() ?? '';
  const stopSignal = text('StopSignal');
  return {
    user: text('User'),
    env: texts('Env'),
    entrypoint: texts('Entrypoint'),
    cmd: texts('Cmd'),
    workingDir: text('WorkingDir'),
    labels: config?.optionalOrNull('Labels')?.stringMap(limits.configBytesMax) ?? {},
    exposedPorts: Object.keys(config?.optionalOrNull('ExposedPorts')?.object() ?? {}),
    ...(stopSignal === '' ? {} : { stopSignal }),
  };
}
