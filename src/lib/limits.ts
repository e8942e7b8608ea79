import { inspectionLimits } from './inspection-limits.ts';

/** Everything that comes from outside has a limit, and every limit has a name. Bytes, counts and milliseconds. */
const KiB = 1024;
const MiB = 1024 * KiB;
const GiB = 1024 * MiB;
const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

export const limits = {
  /** distribution-spec asks for at least 4 MiB. */
  manifestBytesMax: 4 * MiB,
  /** Manifests that a server keeps in memory as long as nothing happens. */
  manifestsRememberedMax: 10_000,
  manifestsRememberedBytesMax: 32 * MiB,
  /** How long background work lets commits gather after it found nothing to do; and such as nobody waits for. */
  taskGatherMs: 50,
  taskCalmMs: 1_000,
  /** How long the inspection of what was pushed waits for a pause in pushes and pulls. */
  inspectGivesWayMs: 2_000,
  /** Transactions that share one commit. */
  transactionsTogetherMax: 32,
  manifestLayersMax: 1_000,
  indexChildrenMax: 1_000,
  indexDepthMax: 8,
  /** What refers to a deleted manifest and goes with it; the rest stays. */
  referrersTakenMax: 1_000,
  /** In how many repositories a blob is looked for that is to be mounted from anywhere. */
  mountSourcesMax: 100,
  configBytesMax: 8 * MiB,
  repositoryNameLengthMax: 255,
  tagLengthMax: 128,
  blobBytesMax: 64 * GiB,
  uploadIdleMs: day,
  /** How long a fresh upload, or an answer that makes a client skip one, protects a blob. */
  uploadHoldMs: hour,
  holdExtendEveryMs: 10 * minute,
  /** How long a pull waits for an inspection that decides about it, and how often it looks. */
  inspectionAwaitMs: 10_000,
  inspectionLookMs: 200,
  /** Images that one event spares: it stays below `eventDataBytesMax`. */
  exemptionsAtOnce: 1_000,
  /** Blobs that one process sends at once, and how long whom they are sent to may take nothing. */
  openStreamsMax: 50_000,
  pullStallMs: 10 * minute,
  openUploadsRememberedMax: 10_000,
  accountsRememberedMax: 10_000,
  /** A request's head must be there by then; of its body so many bytes must come in each window. */
  requestHeadersMs: 30_000,
  requestWindowMs: minute,
  requestWindowBytesMin: 16 * KiB,
  /** Of a store behind the network: a part of a blob, which the server holds twice per upload. 10,000 make a blob. */
  storePartBytes: 8 * MiB,
  storeDeleteBatch: 1_000,
  storeSocketsMax: 256,
  /** Each request is tried so often, later each time. */
  storeAttemptsMax: 4,
  storeConnectMs: 5_000,
  /** How long a request may take, and a blob that is read may fall silent. */
  storeRequestMs: minute,
  /** How long a pre-signed address lives. */
  redirectSeconds: 60,

  ...inspectionLimits,

  /** The longest duration that a setting, rule or event criterion may name. */
  durationMaxMs: 3_650 * day,
  retentionRulesMax: 1_000,
  immutabilityRulesMax: 1_000,
  sbomRulesMax: 1_000,
  /** The globs of tags that one rule names. */
  retentionGlobsMax: 100,
  /** What a dry run lists. */
  retentionPlanItemsMax: 10_000,
  /** What one transaction of retention takes away. */
  retentionBatch: 20,
  /** Files from this size on are found by their size; the partial index of `layer_files` says so too. */
  largeFileBytes: 10 * MiB,
  criteriaDepthMax: 16,
  criteriaNodesMax: 200,
  globLengthMax: 512,
  /** What the braces of one glob may multiply to. */
  globAlternativesMax: 64,
  eventCriteriaBytesMax: 256 * KiB,
  eventCriteriaEventsMax: 32,
  versionRangeLengthMax: 1_024,
  advisoryBytesMax: 4 * MiB,
  /** Of one import, packed and unpacked; of an archive the files, its directory, and one file. */
  advisoryImportBytesMax: 16 * GiB,
  advisoryFilesMax: 2_000_000,
  advisoryDirectoryBytesMax: 512 * MiB,
  advisoryFileBytesMax: 64 * MiB,
  /** A source that is fetched on a schedule: how often at most, and changes beyond which the whole is fetched instead. */
  feedIntervalMinMs: minute,
  feedChangesMax: 5_000,
  /** For so long a document that a source lists may still come; one that is not there then is left out. */
  feedMissingMs: hour,
  feedDocumentsAtOnce: 8,
  feedRetryFirstMs: minute,
  feedRetryMaxMs: 6 * hour,
  /** What the server fetches: how long until a connection stands, how long it may be silent, how often it is sent on. */
  fetchConnectMs: 10_000,
  fetchSilenceMs: minute,
  fetchRedirectionsMax: 5,
  /** Of what an advisory says of versions, in an explanation. */
  explainedTextMax: 2_000,
  /** Lists and objects in one another. */
  advisoryDepthMax: 500,
  advisoryRangesMax: 10_000,
  advisoryVersionsMax: 100_000,
  /** An OpenVEX document, what it names in all, and its texts; and what its vulnerability is called. */
  vexDocumentBytesMax: 16 * MiB,
  vexTargetsMax: 5_000,
  vexAliasesMax: 100,
  vexNameLengthMax: 1_024,
  vexTextLengthMax: 16_384,
  advisoryNameLengthMax: 128,
  /** Exceptions that count at one time, and of one account that are proposed. */
  exceptionsMax: 20_000,
  exceptionsProposedMax: 5_000,
  /** Exceptions that an answer names. */
  scanExceptionsMax: 20,

  /** How long a token for images, and one that stands in for a password, are good. */
  accessTokenMs: 5 * minute,
  identityTokenMs: 90 * day,
  /** How long a key signs tokens, and how often it is looked whether another one is due. */
  signingKeyMs: 30 * day,
  signingKeyLookMs: hour,
  /** How long it is remembered that a password fits, so that it is not hashed for each request. */
  passwordRememberMs: minute,
  passwordsRememberedMax: 10_000,
  /** Tokens whose signature was verified, and who they stand for. */
  tokensRememberedMax: 10_000,
  callersRememberedMax: 10_000,
  passwordLengthMin: 12,
  /** Passwords that are hashed at once, of the four threads that files are read with too, and that wait for it. */
  passwordChecksAtOnce: 2,
  passwordChecksWaitingMax: 200,
  /** Wrong passwords that cost nothing: of one name from one address; of one name, or from one address, in all. */
  guessesOfPair: 5,
  guessesOfOne: 50,
  /** Then each must be waited for, twice as long as the one before it, up to this. */
  guessDelayFirstMs: 1_000,
  guessDelayMaxMs: 5 * minute,
  /** How long wrong passwords are remembered after the last, and right ones, of how many names and addresses. */
  guessForgetMs: 15 * minute,
  loginRememberMs: day,
  guessersMax: 20_000,
  /** Callers whose rate is measured. */
  ratesMax: 20_000,

  apiBodyBytesMax: 1 * MiB,
  /** One JSON answer, or one line of many, that a client holds in memory. */
  clientAnswerBytesMax: 64 * MiB,
  /** How a registry is asked: again after a failure, each time later, and to other places when it says so. */
  registryAttemptsMax: 5,
  registryRetryFirstMs: 250,
  registryRetryMaxMs: minute,
  registryRedirectsMax: 5,
  /** Pages of one list. */
  registryPagesMax: 100_000,
  /** How long a registry may take to close an upload, whose bytes it may read again. */
  registryCloseMs: 30 * minute,
  /** What one import reads and writes at once. */
  importJobsMax: 64,
  /** A blob up to this size is sent in one request; a larger one in a session that can be gone on with. */
  importWholeBytesMax: 1 * MiB,
  /** Entries of an archive or a layout, repositories, and tags or manifests of one of them. */
  importEntriesMax: 1_000_000,
  /** Manifests that an import keeps in memory between looking and copying; the rest is read again. */
  importManifestBytesKept: 64 * MiB,
  /** Differences that a report lists; the rest is counted. */
  importDifferencesMax: 10_000,
  apiPageMax: 1_000,
  apiPageDefault: 100,
  /** Of an image's contents: a page, what its request looks through, and the files of one that no server reads. */
  inventoryPageMax: 10_000,
  inventoryRowsLookedMax: 100_000,
  inventoryFilesHeldMax: 1_000_000,
  /** Images of the same layers that are looked at for one that the asker may see. */
  baseImagesMax: 10_000,
  /** Places of packages that one bill of materials names. */
  sbomPackagesMax: 50_000,
  /** A path is part of it, as base64. */
  cursorLengthMax: 24 * KiB,
  /** Images that one answer keeps a list of; what one page shows of them, and of the evidence of each. */
  scanImagesMax: 200_000,
  scanPageDefault: 50,
  scanPageMax: 1_000,
  /** The images that match whose tags are counted. */
  scanTagsMax: 10_000,
  /** What is counted of an answer before all of it is found. */
  scanFirstMax: 1_001,
  scanEvidenceMax: 20,
  /** Evidence that one statement reads. */
  scanEvidenceRowsMax: 10_000,
  /** How much wall time may gain on the boot clock, and go back, before nothing expires by it any more. */
  clockGainMs: hour,
  clockBackMs: 10_000,
  /** How old the readings that clocks are compared with become. */
  clockLookMs: 10 * minute,
  /** Bytes that no row names are left alone so long, although a row always comes first. */
  scrubOrphanAgeMs: hour,
  scrubBatch: 500,
  /** How fast a scrub reads bytes again to compare their digests. */
  scrubVerifyBytesPerSecond: 64 * MiB,

  /**
   * How the collector yields while somebody pushes or pulls: how long it rests before each step, how much of a full step
   * it then takes, and how long after the last request the server counts as busy.
   */
  collectRestMs: 200,
  collectSmallStep: 0.1,
  foregroundQuietMs: 100,
  /** A full step of the collector: what one transaction decides about, and the keys that are deleted at once. */
  collectManifests: 10,
  collectBlobs: 200,
  collectKeys: 500,
  /** Rows of a collected layer's inventory that one transaction forgets; a layer with fewer entries needs no other. */
  collectInventoryRows: 2_000,
  /** Of one pass, for each kind of step. */
  collectStepsMax: 5,

  /** How long a process of the server may take to answer another, or to say that it is ready, and to end once nothing is in flight any more. */
  processAnswerMs: 5_000,
  processCloseMs: 5_000,
  /** When another takes the place of one that ended: later each time, unless it lasted so long. */
  processRetryFirstMs: 100,
  processRetryMaxMs: 30_000,
  processSettledMs: minute,

  transactionMs: 20,
  eventDataBytesMax: 256 * KiB,
  /** Different pulls and refusals counted between two writes of the ledger. */
  ledgerEntriesMax: 50_000,
  /** Layers that wait to be read again. */
  reinspectQueuedMax: 100,
  jobAttemptsMax: 8,
  jobLeaseMs: 60_000,
  agentReportContainersMax: 5_000,
  /** How often an agent looks at its containers while nothing else wakes it. */
  agentTickMs: 500,
  agentBackoffFirstMs: 1_000,
  agentBackoffMaxMs: 60_000,
  /** What ran so long has not failed again but anew. */
  agentSettledMs: 60_000,
  agentRecordBytesMax: 1 * MiB,
  /** Reasons that a revocation keeps; the rest is one reason, told apart by its hash. */
  revocationEvidenceMax: 200,
  revokeBatchEvents: 200,
  /** The end of a container's output that its status carries. */
  containerOutputLinesMax: 20,
  containerOutputBytesMax: 4 * KiB,
  /** How long the kernel may take to end a container after KILL. */
  containerKillMs: 10_000,
  /** How long after a container's end its exit code may be written down. */
  containerExitRecordMs: 2_000,
  heartbeatMs: 5_000,
  /** A shorter lease would end when a few heartbeats are lost. */
  leaseMinMs: 30_000,
  leaseDefaultMs: day,
  /** An agent ends what has lost its lease so long before the lease does, and its keeper half of it: jitter only shortens. */
  leaseMarginMs: 2_000,
  /** Wall time that gains more on the boot clock shows that the machine was paused. */
  pausedMachineMs: 5_000,
  /** Answers of home that wait until they are applied, before their leases count. */
  leaseAnswersMax: 1_000,
  /** What a follower holds of one lane before it is applied. */
  laneLinesMax: 1_000,
  laneBytesMax: 64 * MiB,
  /** What a line is taken to hold beside the body of a manifest. */
  laneLineBytes: 4 * KiB,
  /** How long a follower waits before it connects again: at first, and at most. */
  reconnectFirstMs: 100,
  reconnectMaxMs: 5_000,
  /** Blobs copied at once, and how many repositories one is asked of. */
  copiesAtOnce: 3,
  copySourcesMax: 20,
  /** How long a request waits for a blob that another region has; then it is told to come again. */
  fetchRemoteMs: 30_000,
  connectedMs: 15_000,
} as const;
