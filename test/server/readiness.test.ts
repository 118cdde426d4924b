import { DatabaseSync } from 'node:sqlite';
import { expect, test, vi } from 'vitest';
import { samplesOf } from '../support/exposition.ts';
import { makeDatabase, onSale } from '../support/server.ts';
import { spawnServer } from '../support/server-process.ts';

test('an instance whose store refuses writes is not ready, gives the reason, and recovers', async () => {
  const database = await makeDatabase([onSale()]);
  const server = await spawnServer({ DATABASE_URL: database.url });
  const readyz = async () => {
    const answer = await fetch(`${server.origin}/readyz`);
    return [answer.status, await answer.text()] as const;
  };
  const ready = async () => {
    const text = await (await fetch(`${server.origin}/metrics`)).text();
    return samplesOf(text).get('ticket_booking_ready');
  };
  // Waits while the server writes.
  const other = new DatabaseSync(database.url.replace('sqlite:', ''), { timeout: 10_000 });
  try {
    expect((await readyz())[0]).toBe(200);
    other.exec('BEGIN IMMEDIATE');
    expect((await fetch(`${server.origin}/api/packages`)).status).toBe(200);
    const locked = expect.stringMatching(/the store takes no writes: .*locked/);
    await vi.waitFor(async () => expect(await readyz()).toEqual([503, locked]), { timeout: 10_000 });
    expect(await ready()).toBe(0);
    other.exec('ROLLBACK');
    await vi.waitFor(async () => expect((await readyz())[0]).toBe(200), { timeout: 10_000 });
    expect(await ready()).toBe(1);
  } finally {
    other.close();
    await server.end('SIGKILL');
    await database.delete();
  }
});
