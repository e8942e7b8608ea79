/** What can be configured, as data: the file's keys, the variables and the reference are made from this list. */
export interface Setting {
  /** Its place in lazaret.yaml. */
  readonly key: string;
  readonly kind:
    | 'text'
    | 'port'
    | 'count'
    | 'size'
    | 'duration'
    | 'word'
    | 'globs'
    | 'addresses'
    | 'sparse'
    | 'peers'
    | 'feeds';
  /** As it would be written; empty: see the summary. */
  readonly default: string;
  readonly summary: string;
  readonly words?: readonly string[];
}

export const settings = [
  {
    key: 'region',
    kind: 'text',
    default: 'local',
    summary: 'The name of the region that this server is of.',
  },
  {
    key: 'primary',
    kind: 'text',
    default: '',
    summary: 'The region that owns accounts, rules and deployments. Default: this region.',
  },
  {
    key: 'data',
    kind: 'text',
    default: './lazaret-data',
    summary: 'The folder for everything that is kept here. One server at a time uses it.',
  },
  {
    key: 'listen.host',
    kind: 'text',
    default: '127.0.0.1',
    summary:
      'The address to listen on. Beyond this machine use TLS, here or in front: passwords travel with requests.',
  },
  {
    key: 'listen.port',
    kind: 'port',
    default: '5000',
    summary: 'The port to listen on; 0 takes a free one.',
  },
  {
    key: 'listen.tls.cert',
    kind: 'text',
    default: '',
    summary:
      'The file of the certificate with its chain, PEM. Given with `listen.tls.key`, the server speaks TLS; a change of the files is taken over while it serves.',
  },
  { key: 'listen.tls.key', kind: 'text', default: '', summary: 'The file of the private key, PEM.' },
  {
    key: 'listen.trustedProxies',
    kind: 'addresses',
    default: '',
    summary:
      'Addresses, or ranges as `10.0.0.0/8`, of proxies that are believed where a request comes from (`X-Forwarded-For`, `-Proto`, `-Host`).',
  },
  {
    key: 'http.processes',
    kind: 'count',
    default: '1',
    summary:
      'How many processes answer requests. All but the first only read: pulls are spread over them. Not with `blobs.kind: memory`.',
  },
  {
    key: 'http.drain',
    kind: 'duration',
    default: '25s',
    summary:
      'How long pushes and pulls may go on when the server is asked to end; what is left then is cut. Less than the service manager waits before it kills (Kubernetes: 30 s).',
  },
  {
    key: 'url',
    kind: 'text',
    default: '',
    summary: 'Where clients reach this server. Default: the address that the client asked.',
  },
  {
    key: 'database.url',
    kind: 'text',
    default: '',
    summary: '`postgres://…`, or `sqlite:///path`. Default: SQLite in the data folder.',
  },
  {
    key: 'blobs.kind',
    kind: 'word',
    default: 'filesystem',
    words: ['filesystem', 's3', 'memory'],
    summary: 'Where the bytes of layers are kept. `memory` forgets them at the end; for trying things out.',
  },
  { key: 'blobs.folder', kind: 'text', default: '', summary: 'Default: `blobs` in the data folder.' },
  { key: 'blobs.bucket', kind: 'text', default: '', summary: 'Of S3: the bucket, which must be there.' },
  {
    key: 'blobs.prefix',
    kind: 'text',
    default: '',
    summary: 'Of S3: a folder in the bucket. Each region needs one of its own, or a bucket.',
  },
  {
    key: 'blobs.endpoint',
    kind: 'text',
    default: '',
    summary: 'Of S3: the address of another server than Amazon’s.',
  },
  {
    key: 'blobs.bucketRegion',
    kind: 'text',
    default: 'us-east-1',
    summary: 'Of S3: what the bucket’s region is called there.',
  },
  {
    key: 'blobs.addressing',
    kind: 'word',
    default: 'auto',
    words: ['auto', 'path', 'host'],
    summary:
      'Of S3: whether the bucket is named in the path or in the host name. `auto`: in the path where there is an endpoint.',
  },
  {
    key: 'blobs.accessKeyId',
    kind: 'text',
    default: '',
    summary:
      'Of S3. Default: what the machine, the container or the environment gives, as with Amazon’s own tools.',
  },
  { key: 'blobs.secretAccessKey', kind: 'text', default: '', summary: 'Of S3, beside the access key’s id.' },
  {
    key: 'blobs.redirect',
    kind: 'word',
    default: 'off',
    words: ['off', 'on'],
    summary:
      'Of S3: whether clients fetch the bytes of a blob from the bucket, by an address that lives 60 seconds. A quarantine does not end a download there.',
  },
  {
    key: 'access.anonymousPull',
    kind: 'globs',
    default: '',
    summary: 'Repositories that everyone may pull from without logging in.',
  },
  {
    key: 'access.requestsPerMinute',
    kind: 'count',
    default: '0',
    summary: 'Requests of one user, or of one address without a user, in a minute; 0: no limit.',
  },
  {
    key: 'push.sparse',
    kind: 'sparse',
    default: 'index',
    summary:
      'What a manifest may name that is not in its repository. `refuse`: nothing; `index`: an index may lack children; `all`: an image may lack layers, too. One word, or a mapping from repository globs to words, the first that matches; in a variable `mirror/**=all,**=refuse`.',
  },
  {
    key: 'peers',
    kind: 'peers',
    default: '',
    summary:
      'The other regions: a list of `name`, `url`, `secret` or `secretFile`, and `caFile` if its certificate is of an authority of your own. Both sides of a pair are given the same secret.',
  },
  {
    key: 'replication.repositories',
    kind: 'globs',
    default: '**',
    summary: 'The repositories whose layers are copied here as soon as they are pushed elsewhere.',
  },
  {
    key: 'collection.grace',
    kind: 'duration',
    default: '24h',
    summary:
      'How long a blob may be unreferenced before it is collected, and what was deleted can be brought back.',
  },
  {
    key: 'collection.interval',
    kind: 'duration',
    default: '1m',
    summary: 'How often the collector looks for what is due.',
  },
  {
    key: 'retention.packages',
    kind: 'duration',
    default: '90d',
    summary: 'How long the bytes of what is quarantined for a package or an advisory are kept.',
  },
  {
    key: 'retention.harmful',
    kind: 'duration',
    default: '30d',
    summary: 'How long the bytes of what is harm itself (a secret, malware, a banned file) are kept.',
  },
  {
    key: 'retention.interval',
    kind: 'duration',
    default: '1h',
    summary: 'How often retention rules take away the tags and untagged images that they no longer keep.',
  },
  {
    key: 'inspection.workers',
    kind: 'count',
    default: '2',
    summary: 'Layers that are read at the same time, one thread each.',
  },
  {
    key: 'inspection.clamav.socket',
    kind: 'text',
    default: '',
    summary:
      'Where ClamAV’s clamd listens: the path of a socket, or `host:port`. Given, the files of each layer are looked through for malware; layers that were read without are read again.',
  },
  {
    key: 'inspection.clamav.streamMax',
    kind: 'size',
    default: '25MiB',
    summary:
      'The largest file that clamd is given: its `StreamMaxLength`, or less. Whether a larger one is malware is unknown.',
  },
  {
    key: 'advisories.sources',
    kind: 'feeds',
    default: '',
    summary:
      'What the primary region fetches of advisories, CISA KEV and EPSS: a list of `name`, `url` and `every` (default 1h). What has not changed is not fetched again. An address that ends with `modified_id.csv` is followed: the changed documents beside it are fetched, at first `all.zip`.',
  },
  {
    key: 'outbound.private',
    kind: 'addresses',
    default: '',
    summary:
      'Private addresses, or ranges as `10.0.0.0/8`, that the server may fetch from all the same, for a mirror of your own.',
  },
  {
    key: 'log.level',
    kind: 'word',
    default: 'info',
    words: ['trace', 'debug', 'info', 'warn', 'error', 'silent'],
    summary: 'What is logged, as JSON lines on standard output.',
  },
] as const satisfies readonly Setting[];

export type SettingKey = (typeof settings)[number]['key'];
