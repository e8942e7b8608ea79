export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What this needs of vitest's TestModule. A module that could not be loaded has errors of its own and no tests. */
export interface ModuleResult {
  errors(): readonly unknown[];
  readonly children: { allTests(): Iterable<{ result(): { readonly state: string } }> };
}

/** An error outside any test (a module that doesn't load, a rejection nobody awaited) counts as one failed test. */
export function countTests(modules: readonly ModuleResult[], unhandledErrors: number): Counts {
  const states = modules.flatMap((module) =>
    [...module.children.allTests()].map((test) => test.result().state),
  );
  const count = (state: string) => states.filter((each) => each === state).length;
  const moduleErrors = modules.reduce((sum, module) => sum + module.errors().length, 0);
  const skipped = count('skipped') + count('pending');
  return { passed: count('passed'), failed: count('failed') + moduleErrors + unhandledErrors, skipped };
}

export function summaryLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}
