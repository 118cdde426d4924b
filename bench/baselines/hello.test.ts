import { expect, test } from 'vitest';
import { startBaseline } from './started.ts';

test('hello answers every purchase, refuses other requests, and ends on SIGTERM', async () => {
  await using hello = await startBaseline('hello', [{ id: 1, quota: 1 }]);
  expect(await hello.buy(1, 'key')).toEqual({
    status: 201,
    body: { packageId: 1, email: 'ada@example.com', status: 'confirmed' },
  });
  for (const body of ['{', '[]', 'null', '{"packageId":"1","email":"ada@example.com"}', '{"packageId":1}']) {
    expect(await hello.post(body)).toMatchObject({ status: 422, body: { code: 'invalid' } });
  }
  expect(await hello.audit()).toMatchObject({ verdict: 'none' });
  expect(await hello.end()).toBe(0);
});
