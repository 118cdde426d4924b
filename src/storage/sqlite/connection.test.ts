import { statSync } from 'node:fs';
import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openConnection } from './connection.ts';

test('Q6 a commit is synced to the disk: WAL with synchronous = FULL', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ticket-booking-'));
  const connection = openConnection({ file: join(folder.path, 'booking.db') });
  const pragma = (name: string) => Object.values(connection.db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  expect([pragma('journal_mode'), pragma('synchronous')]).toEqual(['wal', 2]);
  connection.close();
});

test('a new file can be read by its user only', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ticket-booking-'));
  const file = join(folder.path, 'booking.db');
  const connection = openConnection({ file });
  for (const name of [file, `${file}-wal`, `${file}-shm`]) {
    expect((statSync(name).mode & 0o777).toString(8), name).toBe('600');
  }
  connection.close();
});
