import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Type from 'typebox';
import { checked } from '../contract/check.ts';
import { LazaretError } from '../lib/errors.ts';
import { type Lease, leaseSchema } from './lease.ts';

const bookSchema = Type.Object({ leases: Type.Array(leaseSchema) });

/** The leases that this instance holds, by deployment: one file, replaced as a whole, `DATA/leases.json`. */
export class LeaseBook {
  readonly #file: string;
  #leases: ReadonlyMap<string, Lease>;

  private constructor(file: string, leases: readonly Lease[]) {
    this.#file = file;
    this.#leases = byDeployment(leases);
  }

  /** @throws invalid when the file holds something else */
  static async open(dataFolder: string): Promise<LeaseBook> {
    await mkdir(dataFolder, { recursive: true, mode: 0o700 });
    const file = join(dataFolder, 'leases.json');
    return new LeaseBook(file, await readLeases(file));
  }

  get(deployment: string): Lease | undefined {
    return this.#leases.get(deployment);
  }

  list(): Lease[] {
    return [...this.#leases.values()];
  }

  /**
   * Known at once, also if the file can't be written; the file when it resolves. It need not survive the machine: after
   * another boot no lease of it counts.
   */
  async replace(leases: readonly Lease[]): Promise<void> {
    this.#leases = byDeployment(leases);
    await writeFile(`${this.#file}.tmp`, JSON.stringify({ leases }), { mode: 0o600 });
    await rename(`${this.#file}.tmp`, this.#file);
  }
}

function byDeployment(leases: readonly Lease[]): ReadonlyMap<string, Lease> {
  return new Map(leases.map((lease) => [lease.deployment, lease]));
}

async function readLeases(file: string): Promise<readonly Lease[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return [];
    throw new LazaretError('unavailable', `${file} can't be read`, { cause });
  }
  try {
    return (await checked(bookSchema, JSON.parse(text), { where: 'leases' })).leases;
  } catch (cause) {
    throw new LazaretError('invalid', `${file} is not a list of leases`, { cause });
  }
}
