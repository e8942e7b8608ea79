import type { Credentials } from '../src/client/client.ts';
import type { Narrator } from './narrator.ts';
import { lazaretFile } from './processes.ts';
import { repositoryFolder } from './repository.ts';
import { runProgram } from './run-program.ts';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  /** Both streams, as a person sees them. */
  readonly output: string;
}

export interface PersonOptions {
  readonly name: string;
  readonly password: string;
  /** Where `lazaret login` keeps what it is told; docker's own format. */
  readonly dockerConfig: string;
  readonly env: Readonly<Record<string, string>>;
  readonly narrator: Narrator;
  readonly signal: AbortSignal;
}

interface RunOptions {
  readonly input?: string;
  /** What counts as done; 0 unless told. */
  readonly exitCodes?: readonly number[];
  /** False: it is not told. */
  readonly told?: boolean;
}

/** Someone who uses the executable `lazaret`, with credentials of their own. */
export class Person {
  readonly name: string;
  readonly #options: PersonOptions;

  constructor(options: PersonOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get credentials(): Credentials {
    return { kind: 'basic', username: this.name, password: this.#options.password };
  }

  get dockerConfig(): string {
    return this.#options.dockerConfig;
  }

  async login(region: { readonly url: string }): Promise<void> {
    const { password } = this.#options;
    const args = ['login', '--username', this.name, '--password-stdin', '--server', region.url];
    await this.#run(args, '', { input: password, told: false });
  }

  /** Runs `lazaret` as this person against a region. @throws Error when it ends with a code that isn't one of `exitCodes` */
  async lazaret(
    region: { readonly name: string; readonly url: string },
    args: readonly string[],
    options: RunOptions = {},
  ): Promise<CommandResult> {
    return this.#run(args, `${this.name}@${region.name}`, options, region.url);
  }

  async #run(
    args: readonly string[],
    who: string,
    { input = '', exitCodes = [0], told = true }: RunOptions,
    server?: string,
  ): Promise<CommandResult> {
    const { env, narrator, signal, dockerConfig } = this.#options;
    const startedMs = performance.now();
    const { exitCode, stdout, stderr } = await runProgram(process.execPath, [lazaretFile, ...args], {
      cwd: repositoryFolder,
      env: { ...env, DOCKER_CONFIG: dockerConfig, ...(server !== undefined && { LAZARET_SERVER: server }) },
      input,
      signal,
    });
    const result = { exitCode, stdout, output: stdout + stderr };
    if (told)
      narrator.command({
        who,
        line: commandLine(args),
        output: result.output,
        exitCode,
        tookMs: performance.now() - startedMs,
      });
    if (exitCodes.includes(exitCode)) return result;
    throw new Error(
      `lazaret ${args.join(' ')} ended with ${exitCode}, not ${exitCodes.join(' or ')}: ${result.output.trim()}`,
    );
  }
}

/** As one would type it. */
function commandLine(args: readonly string[]): string {
  return ['lazaret', ...args].map((arg) => (/^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg}'`)).join(' ');
}
