/** The formats of bills of materials: the media type that IANA knows each by, which is also the artifact type. */
export const sbomMediaTypes = {
  cyclonedx: 'application/vnd.cyclonedx+json',
  spdx: 'application/spdx+json',
} as const;

export type SbomFormat = keyof typeof sbomMediaTypes;

export const sbomFormats: readonly SbomFormat[] = ['cyclonedx', 'spdx'];
