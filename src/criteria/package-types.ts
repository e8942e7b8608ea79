/**
 * The types of purls that inspection finds packages of; a test of all extractors holds them to this list. Of any other type
 * nobody can say that an image has none.
 */
export const packageTypes = [
  'apk',
  'cargo',
  'composer',
  'deb',
  'gem',
  'generic',
  'golang',
  'maven',
  'npm',
  'nuget',
  'pypi',
  'rpm',
] as const;

export function isPackageType(type: string): boolean {
  return packageTypes.some((known) => known === type);
}
