export interface KnownProgram {
  readonly name: string;
  /** OSV's; empty where none has advisories about the program by itself. */
  readonly ecosystem: string;
  /** A file that is called so and has no version in it makes the result unknown. */
  readonly ownName: RegExp;
  /** A program that has this in it brings nothing of its own but starts what is in a library, which is looked at by itself. */
  readonly library?: string;
  /** What it may be called as well, as other programs are. */
  readonly otherName?: RegExp;
  readonly sections: readonly string[];
  /** Looked for first, then `version` at its place. */
  readonly text: string;
  readonly version: RegExp;
}

const readOnly = ['.rodata', '.rdata', '__TEXT,__const', '__TEXT,__cstring'];

export const knownPrograms: readonly KnownProgram[] = [
  {
    name: 'node',
    // Bitnami's advisories for it are of the versions that Node.js itself gives.
    ecosystem: 'Bitnami',
    // Distributions put nearly all of it into a library.
    ownName: /(?:^|\/)(?:node(?:js)?(?:\.exe)?|libnode\.so(?:\.\d+)*)$/,
    library: 'libnode.so',
    sections: readOnly,
    // Where its headers are to be had.
    text: 'https://nodejs.org/download/',
    version: /^https:\/\/nodejs\.org\/download\/[a-z]+\/v(\d+\.\d+\.\d+(?:-[0-9A-Za-z.]+)?)\//,
  },
  {
    name: 'busybox',
    ecosystem: '',
    ownName: /(?:^|\/)busybox(?:[.-][a-z]+)?$/,
    // In an archive the first of its many hard links is the file.
    otherName: /(?:^|\/)bin\/(?:\[|acpid|add-shell|addgroup|arch|ash|sh)$/,
    sections: readOnly,
    text: 'BusyBox v',
    version: /^BusyBox v(\d+\.\d+(?:\.\d+)?)\b/,
  },
];
