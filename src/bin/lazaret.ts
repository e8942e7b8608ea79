#!/usr/bin/env node
import { keepCompiled } from '../lib/compile-cache.ts';

/** The one executable. */
keepCompiled();
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv.slice(2));
