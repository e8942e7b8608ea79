import type { Task } from '../lib/task.ts';
import type { Context } from './context.ts';

/** The one list of what goes on in the background. */
export function serverTasks(_context: Context): readonly Task[] {
  return [];
}
