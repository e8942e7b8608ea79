import { PackageURL } from 'packageurl-js';
import type { InventoryOs, PackageFacts } from './rows.ts';

/**
 * A Debian package is distinct by distribution and release, since the same version is vulnerable in one and fixed in
 * another. Neither is in the package's own database: os-release says it, of the same layer, or of another one of the
 * image. Until it is known the ecosystem has no release (`Debian`) and no advisory applies; then the purl gets the
 * qualifier `distro` and the ecosystem its release (`Debian:12`).
 */
export function ofRelease<T extends PackageFacts>(found: T, os: InventoryOs | undefined): T {
  if (os === undefined || !found.purl.startsWith('pkg:deb/')) return found;
  const { name, version, qualifiers, subpath } = PackageURL.fromString(found.purl);
  const distro = os.versionId === undefined ? os.id : `${os.id}-${os.versionId}`;
  const purl = new PackageURL('deb', os.id, name, version, { ...qualifiers, distro }, subpath).toString();
  return { ...found, purl, ecosystem: debEcosystem(os) };
}

/** Whether advisories can be matched with it, as far as its ecosystem decides that. */
export function hasRelease(found: { readonly purl: string; readonly ecosystem: string }): boolean {
  return !found.purl.startsWith('pkg:deb/') || found.ecosystem.includes(':');
}

/** `Debian 12`: as people say it. */
export function osName(os: InventoryOs): string {
  const known: Readonly<Record<string, string>> = { debian: 'Debian', ubuntu: 'Ubuntu', alpine: 'Alpine' };
  return [known[os.id] ?? os.id, os.versionId ?? os.codename].filter((part) => part !== undefined).join(' ');
}

/** OSV's names; Ubuntu's releases of April in even years are the long-term ones. */
function debEcosystem({ id, versionId }: InventoryOs): string {
  if (id === 'debian') return versionId === undefined ? 'Debian' : `Debian:${versionId}`;
  if (id !== 'ubuntu') return '';
  if (versionId === undefined) return 'Ubuntu';
  return /^\d?[02468]\.04$/.test(versionId) ? `Ubuntu:${versionId}:LTS` : `Ubuntu:${versionId}`;
}
