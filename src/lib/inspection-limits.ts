/** Of what is read of a layer: `limits` has them too. Bytes, counts and milliseconds. */
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const minute = 60_000;

export const inspectionLimits = {
  layerUncompressedBytesMax: 64 * GiB,
  layerEntriesMax: 2_000_000,
  /** Paths are found by an index, whose entries PostgreSQL bounds at 2,704 bytes. */
  layerPathBytesMax: 2 * KiB,
  layerPathDepthMax: 256,
  /** The PAX records, or the long name, of one entry. Go's reader, which most runtimes unpack with, stops there too. */
  layerHeaderBytesMax: 1 * MiB,
  /** Above this much output, uncompressed over compressed bytes; DEFLATE itself cannot exceed 1,032. */
  layerRatioMax: 1_100,
  layerRatioFromBytes: 256 * MiB,
  layerInspectMs: 30 * minute,
  /** A worker that long over its time no longer looks at the clock, and is ended. */
  layerStuckMs: minute,
  /** How long a worker without a job is kept. While somebody pushes or pulls: what it works at least at once, how many times as
   * long it rests, and its longest rest. */
  inspectIdleMs: minute,
  inspectTurnMs: 1,
  inspectRestTimes: 3,
  inspectRestMsMax: 100,
  /** Its buffers that share their memory. */
  inspectBufferPoolBytes: 8 * KiB,
  /** What an extractor sees of a file before it decides whether that is of its format. */
  extractStartBytes: 4 * KiB,
  /** A file that an extractor reads is kept in memory up to this size, and beyond in a temporary file. */
  extractHeldBytesMax: 16 * MiB,
  /** The largest file that an extractor reads that asks for no more, and the most that any may read at once. */
  extractFileBytesMax: 64 * MiB,
  /** The largest file that any extractor reads: executables and archives, piece by piece. */
  extractSpoolBytesMax: 2 * GiB,
  /**
   * What is held of a layer until it has ended, by estimate: of packages with their texts, of what hides, and of the files
   * that an extractor has looked into, which are remembered for hard links to them.
   */
  layerHeldBytesMax: 64 * MiB,
  /** What is read of a text that says all at its beginning (a Python package's metadata, a gem's specification). */
  extractHeadBytesMax: 1 * MiB,
  /** A JSON text that an extractor parses: bytes, and lists and objects in one another. */
  extractJsonBytesMax: 8 * MiB,
  extractJsonDepthMax: 128,
  /** rpm's database, which is read page by page, and of it one package's header, the header's entries, and one text of it. */
  rpmDatabaseBytesMax: 1 * GiB,
  rpmHeaderBytesMax: 32 * MiB,
  rpmHeaderEntriesMax: 65_535,
  rpmTextBytesMax: 4 * KiB,
  /** Of one archive with all archives in it: files, bytes of a directory, archives opened, and how deep in each other. */
  archiveMembersMax: 200_000,
  archiveDirectoryBytesMax: 32 * MiB,
  archivesNestedMax: 5_000,
  archiveDepthMax: 6,
  /** One compressed file in it, and all that are unpacked at one time because they lie in each other. */
  archiveMemberBytesMax: 64 * MiB,
  archiveHeldBytesMax: 128 * MiB,
  /** All that is unpacked: so much always, beyond it so many times the archive's size. */
  archiveUnpackedBytes: 256 * MiB,
  archiveRatioMax: 50,
  /** The texts that say what an archive and those in it are: poms, manifests. */
  archiveMetadataBytesMax: 32 * MiB,
  /** Archives of one layer whose content is not kept twice. */
  layerArchivesRemembered: 100_000,
  executableSectionsMax: 4_096,
  /** A manifest, a pom, or another text that says what an archive or an executable is. */
  metadataBytesMax: 1 * MiB,
  layerPackagesMax: 200_000,
  /** Secrets are looked for in so much of a text file, and so many are kept of a layer. */
  secretFileBytesMax: 64 * MiB,
  layerSecretsMax: 20_000,
  /** Files with malware that are kept of a layer. */
  layerMalwareMax: 10_000,
  /** What may wait to be sent to clamd, how long clamd may say nothing, and how long an answer of it may be. */
  clamdAheadBytes: 4 * MiB,
  clamdSilenceMs: 3 * minute,
  clamdAnswerMax: 64 * KiB,
  clamdPingMs: 5_000,
  /** A layer that it could not be asked about is read again after so long, and again. */
  malwareAgainMs: 5 * minute,
  /** What `scan --secret-stdin` takes. */
  secretValueBytesMax: 64 * KiB,
  /** A package's purl, and its name, which are indexed. */
  packageNameLengthMax: 1_024,
  /** What a package says of its licence, beyond which it is not understood; and so much of a Debian copyright file is read. */
  licenceLengthMax: 2_000,
  copyrightBytesMax: 1 * MiB,
  /** Distinct licence expressions that a question looks through. */
  licenceExpressionsMax: 50_000,
} as const;
