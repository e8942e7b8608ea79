/**
 * The name of a package by which it is matched with an advisory: where an ecosystem takes several spellings for one name,
 * the one that all of them come to. Letters are folded in ASCII only, as the database does.
 */
export function matchedName(ecosystem: string, name: string): string {
  const folded = foldsCase(ecosystem) ? name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : name;
  // PEP 503.
  return ecosystem === 'PyPI' ? folded.replace(/[-_.]+/g, '-') : folded;
}

/** Whether names that differ only in case are one. */
export function foldsCase(ecosystem: string): boolean {
  return ecosystem === 'PyPI' || ecosystem === 'NuGet' || ecosystem === 'Packagist';
}
