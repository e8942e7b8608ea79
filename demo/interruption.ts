/** Ctrl-C, TERM and a closed terminal end the story, never the cleaning up; nor does a defect of the demo itself. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 128 and the number of the signal (1 for a defect), once there was one. */
  readonly exitCode: () => number | undefined;
}

const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** After the first, every further signal changes nothing: npm passes on what the terminal has sent already. */
export function interruption(onFirst: (name: string) => void): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  const interrupt = (name: string, code: number) => {
    if (exitCode !== undefined) return;
    exitCode = code;
    onFirst(name);
    controller.abort(new Error(`interrupted by ${name}`));
  };
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => interrupt(name, 128 + numbers[name]));
  process.on('uncaughtException', (error) => {
    console.error(error);
    interrupt('a defect', 1);
  });
  // Whoever read along may go away; what was begun is finished.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  return { signal: controller.signal, exitCode: () => exitCode };
}
