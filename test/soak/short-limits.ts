/**
 * Loaded into each server of the soak before its own code: holds and upload sessions that last an hour and a day end
 * within seconds, so that their ends happen hundreds of times. And a server whose soak is gone ends: the soak holds the
 * other side of its standard input.
 */
import { isMainThread } from 'node:worker_threads';
import { limits } from '../../src/lib/limits.ts';
import { shortLimits } from './settings.ts';

Object.assign(limits, shortLimits);

if (isMainThread) {
  process.stdin.on('end', () => process.exit(1)).on('error', () => process.exit(1));
  process.stdin.resume().unref();
}
