import { MongoClient } from 'mongodb';
import { expect, test, vi } from 'vitest';
import { CommitSessions } from './commit-session.ts';

test('the sessions of many packages do not slow down the end of the client', async () => {
  // Never connects: sessions begin and end without a server.
  const client = new MongoClient('mongodb://127.0.0.1:1');
  const sessions = new CommitSessions(client, 1_000);
  const ids = Array.from({ length: 100 }, (_, index) => sessions.name(index).session.toString());
  expect(new Set(ids).size).toBe(100);
  const { serverSession } = client.startSession();
  const looks = vi.spyOn(Object.getPrototypeOf(serverSession), 'hasTimedOut');
  await client.close();
  // One look at each session. Returned to the driver's pool, they would be looked at 5,000 times.
  expect(looks.mock.calls.length).toBeLessThan(250);
});
