/** The one list of runtimes. docs/guides/add-runtime.md says how another one joins it. */
import type { Clock } from '../../lib/clock.ts';
import { assertNever, LazaretError } from '../../lib/errors.ts';
import { openFakeRuntime } from './fake.ts';
import { openRuncRuntime } from './runc.ts';
import { checkRunc, type RuncTools } from './runc-check.ts';
import type { Runtime } from './runtime.ts';

export type RuntimeChoice =
  | { readonly kind: 'runc'; readonly folder: string; readonly tools: RuncTools }
  | { readonly kind: 'fake' };

/** @throws unavailable with one sentence that says what this machine lacks */
export async function openRuntime(choice: RuntimeChoice, clock: Clock): Promise<Runtime> {
  switch (choice.kind) {
    case 'runc': {
      const missing = await checkRunc(choice.tools);
      if (missing !== undefined) throw new LazaretError('unavailable', missing);
      return openRuncRuntime({ folder: choice.folder, tools: choice.tools, clock });
    }
    case 'fake':
      return openFakeRuntime({ clock });
    default:
      return assertNever(choice);
  }
}
