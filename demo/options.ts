import { parseArgs } from 'node:util';
import { Missing } from './preconditions.ts';

export interface DemoOptions {
  /** Leave everything running at the end, until Ctrl-C. */
  readonly keep: boolean;
}

export const usage = `Runs the main job of Lazaret once, for real, and checks every claim of it.

  npm run demo                     run it and clean up
  npm run demo -- --keep           leave everything running at the end, until Ctrl-C
  npm run demo -- --runtime runc   what runs the containers; runc is the one there is
`;

/** @returns undefined when help was asked for @throws Missing for what there is not */
export function demoOptions(argv: readonly string[]): DemoOptions | undefined {
  const values = parsed(argv);
  if (values.help) return undefined;
  if (values.runtime !== 'runc')
    throw new Missing(
      `The demo can't run on '${values.runtime}': its containers answer requests, and runc is the one runtime there is for that.`,
    );
  return { keep: values.keep };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({
      args: [...argv],
      options: {
        keep: { type: 'boolean', default: false },
        runtime: { type: 'string', default: 'runc' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values;
  } catch (cause) {
    throw new Missing(`${cause instanceof Error ? cause.message : cause}; --help shows what there is.`, {
      cause,
    });
  }
}
