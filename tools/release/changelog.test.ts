import { expect, it } from 'vitest';
import { withVersion } from './changelog.ts';

const head = '# Changelog\n\nAbout it.\n\n## Unreleased\n';
const entries = '### Added\n\n- A thing.\n\n### Fixed\n\n- Another: `## Unreleased` is no heading here.\n';
const older = '## 0.1.0 – 2026-11-23\n\n### Added\n\n- The rest.\n';

it.each([
  ['before older versions', `\n${older}`, `\n${older}`],
  ['as the first version', '', ''],
])('moves the entries %s', (_where, rest, kept) => {
  expect(withVersion(`${head}\n${entries}${rest}`, '1.2.3', '2030-01-02')).toBe(
    `${head}\n## 1.2.3 – 2030-01-02\n\n${entries}${kept}`,
  );
});

it.each([
  ['no entries', `${head}\n${older}`],
  ['no entries and no version', head],
  ['no such heading', `# Changelog\n\n${older}`],
])('refuses a changelog with %s', (_what, text) => {
  expect(() => withVersion(text, '1.2.3', '2030-01-02')).toThrow('nothing under Unreleased');
});
