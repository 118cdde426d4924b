import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { lockFile } from './file-lock.ts';

test('a file is locked for one user until it releases the lock', () => {
  const folder = mkdtempSync(join(tmpdir(), 'file-lock-'));
  const file = join(folder, 'file');
  const release = lockFile(file, 'in use');
  expect(() => lockFile(file, 'it is in use')).toThrow(/^it is in use$/);
  release();
  release();
  lockFile(file, 'in use')();
  writeFileSync(`${file}.lock`, 'This is no lock. '.repeat(100));
  expect(() => lockFile(file, 'in use')).toThrow('not a database');
  rmSync(folder, { recursive: true });
});
