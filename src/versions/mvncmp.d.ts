declare module 'mvncmp' {
  /** Negative, zero or positive. CommonJS: `compare` is a property of the default export. */
  const mvncmp: { compare(a: string, b: string): number };
  export default mvncmp;
}
