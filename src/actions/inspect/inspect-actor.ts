/** Who the log says did what inspection does by itself. */
export const inspectActor = 'inspect';
