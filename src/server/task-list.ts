import { collectTask } from '../actions/collect/collect.ts';
import type { Task } from '../lib/task.ts';
import type { Context } from './context.ts';

/** The one list of what goes on in the background. */
export function serverTasks(context: Context): readonly Task[] {
  return [collectTask(context, context.config.collection.intervalMs), ...context.replication.tasks];
}
