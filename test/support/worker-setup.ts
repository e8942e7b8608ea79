/**
 * Runs in every worker before its tests. Ctrl-C reaches all processes of the terminal at once; a worker that died of it
 * would leave behind what its tests have started. So it goes on: scripts/test.ts cancels the tests that have not begun,
 * and those running end and clean up.
 */
process.on('SIGINT', () => undefined);
