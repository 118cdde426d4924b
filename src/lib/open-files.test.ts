import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openFilesMax } from './open-files.ts';

it.each([
  [
    'a number',
    'Max cpu time   unlimited   unlimited   seconds\nMax open files   20000   524288   files\n',
    20_000,
  ],
  ['no limit', 'Max open files            unlimited            unlimited            files\n', undefined],
  ['something else', 'nothing\n', undefined],
])('reads %s', (_what, text, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'limits-'));
  const file = join(folder, 'limits');
  writeFileSync(file, text);
  expect(openFilesMax(file)).toBe(expected);
  rmSync(folder, { recursive: true });
});

it('returns undefined if the file does not exist', () => {
  expect(openFilesMax('/nowhere/limits')).toBe(undefined);
});
