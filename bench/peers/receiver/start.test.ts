import { expect, test } from 'vitest';
import { startReceiver } from './start.ts';

test('the receiver takes every event, counts it, and is gone at its end', async () => {
  const receiver = await startReceiver(['env']);
  try {
    expect(await receiver.taken()).toBe(0);
    for (const body of ['{"type":"order.confirmed"}', 'x'.repeat(100_000)]) {
      expect((await fetch(receiver.url, { method: 'POST', body })).status).toBe(204);
    }
    expect(await receiver.taken()).toBe(2);
  } finally {
    await receiver.end();
  }
  await expect(receiver.taken()).rejects.toThrow();
});
