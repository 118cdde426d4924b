/**
 * Moves the entries under `Unreleased` to a version of their own.
 * @param date ISO date of the release
 * @throws Error if nothing is under `Unreleased`.
 */
export function withVersion(changelog: string, version: string, date: string): string {
  const [, before = '', entries = '', others = ''] =
    /^([\s\S]*?^## Unreleased\n)([\s\S]*?)(?=^## |$(?![\s\S]))([\s\S]*)$/m.exec(changelog) ?? [];
  if (entries.trim() === '') throw new Error('CHANGELOG.md has nothing under Unreleased.');
  const released = `${before}\n## ${version} – ${date}\n\n${entries.trim()}\n`;
  return others === '' ? released : `${released}\n${others}`;
}
