import { homedir } from 'node:os';
import { Command, CommanderError } from 'commander';
import { commands } from '../cli/commands.ts';
import { type CliIo, type ExitCode, reportError, worseExit } from '../cli/io.ts';
import { lazaretVersion } from '../lib/version.ts';
import { processEnvironment } from '../server/config/env.ts';
import { processCommands } from './process-commands.ts';

/**
 * The command line. Only the module of the command that is asked for is loaded. The first Ctrl-C or TERM asks the
 * command to end, which cleans up after itself; the second ends the process.
 */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  let exitCode: ExitCode = 0;
  const io = processIo((code) => {
    exitCode = worseExit(exitCode, code);
  });
  try {
    const program = await programFor(argv, io);
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1; // it has printed what there is to say
    return worseExit(exitCode, reportError(io, error));
  }
}

/** With the command that `argv` names, or with all of them for the help. */
async function programFor(argv: readonly string[], io: CliIo): Promise<Command> {
  const program = new Command('lazaret')
    .description('A container registry that can take an image back.')
    .version(lazaretVersion)
    .showHelpAfterError('(lazaret --help shows what there is)')
    .addHelpText(
      'after',
      '\nExample:\n  $ lazaret serve\n\nExit codes: 0 fine, 1 failed, 2 found or refused, 3 unknown or incomplete.',
    );
  const all = [...processCommands, ...commands];
  const named = all.filter((command) => command.name === argv[0]);
  for (const command of named.length > 0 ? named : all) (await command.load()).register(program, io);
  for (const command of [program, ...descendants(program)]) command.exitOverride();
  return program;
}

function descendants(command: Command): Command[] {
  return command.commands.flatMap((child) => [child, ...descendants(child)]);
}

function processIo(exit: (code: ExitCode) => void): CliIo {
  const stopping = new AbortController();
  const stop = () => {
    if (stopping.signal.aborted) process.exit(130);
    stopping.abort();
  };
  process.on('SIGINT', stop).on('SIGTERM', stop);
  process.stdout.on('error', () => process.exit(0)); // the reader of a pipe went away
  return {
    env: processEnvironment(),
    homeFolder: homedir(),
    stdin: process.stdin,
    terminal: process.stdout.isTTY === true,
    signal: stopping.signal,
    out: (line) => void process.stdout.write(`${line}\n`),
    note: (line) => void process.stderr.write(`${line}\n`),
    ...(process.stderr.isTTY ? { status: writeOver } : {}),
    exit,
  };
}

/** Carriage return, erase the line (ECMA-48, EL). What is too long for the terminal would not be erased: it is cut. */
function writeOver(text: string): void {
  const width = process.stderr.columns || 80; // some terminals don't say
  process.stderr.write(`\r\x1b[2K${text.slice(0, width - 1)}`);
}
