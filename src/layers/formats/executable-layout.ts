export interface Segment {
  /** Of ELF and PE a section's name, of Mach-O `__SEGMENT,__section`; empty for a segment that is no section. */
  readonly name: string;
  readonly address: number;
  readonly offset: number;
  /** In the file. */
  readonly sizeBytes: number;
  readonly writable: boolean;
}

export interface ExecutableFile {
  readonly littleEndian: boolean;
  readonly pointerBytes: 4 | 8;
  /** What has no bytes in the file is left out. */
  readonly sections: readonly Segment[];
  /** What is loaded, for addresses; of PE and Mach-O the sections. */
  readonly segments: readonly Segment[];
}

export interface ExecutableLimits {
  readonly executableSectionsMax: number;
}
