/** Where a bucket is, and as whom it is used. */
export interface S3Config {
  readonly bucket: string;
  /** Before every name; empty, or ends with `/`. */
  readonly prefix: string;
  /** undefined: Amazon's, of the region. */
  readonly endpoint: string | undefined;
  /** S3's name of the bucket's region, which signatures contain. */
  readonly region: string;
  /** `endpoint/bucket/name` rather than `bucket.endpoint/name`. */
  readonly pathStyle: boolean;
  /** undefined: what the machine, the container or the environment gives, as with Amazon's own tools. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
  /** Whether clients are sent to the bucket for the bytes of a blob. */
  readonly redirect: boolean;
}
