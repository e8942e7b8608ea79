/**
 * What is kept of an image's config: what it says, without values of the environment and without secrets, and where it
 * has secrets, as of a layer: kind, place and fingerprint.
 */
import type { ImageConfig } from '../oci/config.ts';
import { type FingerprintKey, fingerprintOf } from '../secrets/fingerprint.ts';
import { secretsIn } from '../secrets/secret-scan.ts';

export interface ConfigSecret {
  readonly kind: string;
  /** `config:Env/TOKEN`, `config:history/3`, counted from 1 */
  readonly place: string;
  readonly fingerprint: Uint8Array;
  readonly keyVersion: number;
}

export interface ConfigView {
  readonly shown: ShownConfig;
  readonly secrets: readonly ConfigSecret[];
}

/** What is kept and shown of an image's config: no value of the environment, and no secret. */
export interface ShownConfig {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
  readonly user: string;
  /** Names. */
  readonly env: string[];
  readonly workingDir: string;
  /** `8080/tcp` */
  readonly exposedPorts: string[];
  readonly entrypoint: string[];
  readonly cmd: string[];
  readonly stopSignal?: string;
  readonly labels: Record<string, string>;
  readonly history: string[];
}

const mask = '***';
const textMax = 4_096;
const historyMax = 1_000;

export function configView(image: ImageConfig, key: FingerprintKey): ConfigView {
  const look = new Look(key);
  const { config } = image;
  for (const variable of config.env) look.secretsOf(`config:Env/${nameOf(variable)}`, variable, 'config:Env');
  const listed = (what: string, items: readonly string[]) =>
    items.map((item, at) => look.shown(`config:${what}/${at + 1}`, item));
  const labels = Object.entries(config.labels).map(([name, value]) => [
    name,
    look.shown(`config:Labels/${name}`, value),
  ]);
  const shown: ShownConfig = {
    os: image.os,
    architecture: image.architecture,
    ...(image.variant === undefined ? {} : { variant: image.variant }),
    user: config.user,
    env: config.env.map(nameOf),
    workingDir: config.workingDir,
    exposedPorts: [...config.exposedPorts],
    entrypoint: listed('Entrypoint', config.entrypoint),
    cmd: listed('Cmd', config.cmd),
    ...(config.stopSignal === undefined ? {} : { stopSignal: config.stopSignal }),
    labels: Object.fromEntries(labels),
    history: image.history
      .slice(0, historyMax)
      .map((step, at) => look.history(`config:history/${at + 1}`, step)),
  };
  return { shown, secrets: look.secrets };
}

class Look {
  readonly secrets: ConfigSecret[] = [];
  readonly #key: FingerprintKey;

  constructor(key: FingerprintKey) {
    this.#key = key;
  }

  /** @returns the values of what was found there */
  secretsOf(place: string, text: string, kindsOf = place): string[] {
    const found = secretsIn(Buffer.from(text), kindsOf);
    for (const { kind, value } of found)
      this.secrets.push({
        kind,
        place,
        fingerprint: fingerprintOf(this.#key, value),
        keyVersion: this.#key.version,
      });
    return found.map(({ value }) => value);
  }

  /** Text as it is shown: a secret in it, which lists name by its kind, is masked. */
  shown(place: string, text: string): string {
    return masked(text, this.secretsOf(place, text)).slice(0, textMax);
  }

  /** Build arguments and variables are values like those of the environment: their names are shown. */
  history(place: string, step: string): string {
    const found = this.secretsOf(place, step);
    if (!/^(?:\|\d|(?:\/bin\/sh -c #\(nop\) +)?(?:ENV|ARG) |RUN \|\d)/.test(step))
      return masked(step, found).slice(0, textMax);
    const assignments = step.matchAll(assignment);
    for (const [whole] of assignments) this.secretsOf(place, whole.trim(), 'config:Env');
    return masked(step, found)
      .replace(assignment, (_, name) => `${name}=${mask}`)
      .slice(0, textMax);
  }
}

const assignment = /(?<![A-Za-z0-9_])([A-Za-z_][A-Za-z0-9_]{0,200})=(?:"[^"]*"|'[^']*'|[^\s"']+)/g;

function masked(text: string, values: readonly string[]): string {
  // As they were found: byte for byte.
  const bytes = values.reduce(
    (left, value) => left.replaceAll(value, mask),
    Buffer.from(text).toString('latin1'),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

function nameOf(variable: string): string {
  return variable.split('=', 1)[0] ?? '';
}
