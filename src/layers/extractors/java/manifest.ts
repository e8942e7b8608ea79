/**
 * The main attributes of a manifest (JAR File Specification, "JAR Manifest"): names without regard to case, values whose
 * lines were broken joined again.
 */
export function parseManifest(text: string): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  for (const line of text
    .replace(/\r\n?|\n/g, '\n')
    .replace(/\n /g, '')
    .split('\n')) {
    // Sections about single files follow an empty line.
    if (line === '') {
      if (attributes.size > 0) break;
      continue;
    }
    const colon = line.indexOf(':');
    if (colon > 0) attributes.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return attributes;
}
