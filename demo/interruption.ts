/** Ctrl-C, TERM and a closed terminal end the story, never the cleaning up. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** 128 and the number of the signal, once there was one. */
  readonly exitCode: () => number | undefined;
}

const numbers = { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 } as const;

/** Every further signal changes nothing: npm passes on what the terminal has sent already. */
export function interruption(onFirst: (name: string) => void): Interruption {
  const controller = new AbortController();
  let exitCode: number | undefined;
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (exitCode !== undefined) return;
      exitCode = 128 + numbers[name];
      onFirst(name);
      controller.abort(new Error(`interrupted by ${name}`));
    });
  return { signal: controller.signal, exitCode: () => exitCode };
}
