import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { connectionsAllowed, openFilesMax } from './limits.ts';

it.each([
  [undefined, 40_000],
  [1_048_576, 40_000],
  [20_000, 19_000],
  [1_024, 768],
  [256, 192],
])('%s open files allow %i connections and reserve some files for the store', (files, connections) => {
  expect(connectionsAllowed(files)).toBe(connections);
});

it.each([
  [
    'a number',
    'Max cpu time   unlimited   unlimited   seconds\nMax open files   20000   524288   files\n',
    20_000,
  ],
  ['no limit', 'Max open files            unlimited            unlimited            files\n', undefined],
  ['something else', 'nothing\n', undefined],
])('reads the limit of open files from a file that has %s', (_what, text, expected) => {
  const folder = mkdtempSync(join(tmpdir(), 'limits-'));
  const file = join(folder, 'limits');
  writeFileSync(file, text);
  expect(openFilesMax(file)).toBe(expected);
  rmSync(folder, { recursive: true });
});

it('there is no limit of open files if the file of the limits does not exist', () => {
  expect(openFilesMax('/nowhere/limits')).toBe(undefined);
});
