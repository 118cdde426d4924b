import { mkdtempDisposable } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openConnection } from './connection.ts';

test('Q6 a commit is on the disk before it counts: WAL, with a sync for each', async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'ticket-booking-'));
  const connection = openConnection({ file: join(folder.path, 'booking.db') });
  const pragma = (name: string) => Object.values(connection.db.prepare(`PRAGMA ${name}`).get() ?? {})[0];
  expect([pragma('journal_mode'), pragma('synchronous')]).toEqual(['wal', 2]);
  connection.close();
});
