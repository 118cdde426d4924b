import { expect, it, vi } from 'vitest';
import { freePort } from '../support/free-port.ts';
import { spawnServer } from '../support/server-process.ts';
import { startMongod } from '../support/servers/mongod.ts';

it('an instance that starts before its store logs this, and serves once the store is up', async () => {
  await using mongo = await startMongod();
  await mongo.kill(0);
  const port = String(await freePort());
  const origin = `http://127.0.0.1:${port}`;
  const started = spawnServer({ DATABASE_URL: mongo.url, PORT: port });
  await vi.waitFor(async () => expect((await fetch(`${origin}/readyz`)).status).toBe(503), {
    timeout: 20_000,
  });
  expect(await (await fetch(`${origin}/readyz`)).json()).toMatchObject({
    code: 'not_ready',
    detail: expect.stringMatching(/MongoDB at .* no server answers there/),
  });
  const refused = await fetch(`${origin}/api/orders`, { method: 'POST' });
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);

  await mongo.restart(0);
  const statuses = new Set<number>();
  await vi.waitFor(
    async () => {
      const { status } = await fetch(`${origin}/api/packages`);
      statuses.add(status);
      expect(status).toBe(200);
    },
    { timeout: 30_000, interval: 5 },
  );
  expect([...statuses]).toEqual([503, 200]);
  const server = await started;
  const waiting = server
    .output()
    .split('\n')
    .filter((line) => line.includes('waiting for the store'));
  expect(waiting).toHaveLength(1);
  expect(JSON.parse(waiting[0] as string)).toEqual({
    level: 'warn',
    time: expect.any(String),
    instance: expect.any(String),
    msg: expect.stringMatching(
      /cannot be reached: MongoDB at \S+ cannot be used: no server answers there \(.*\)$/,
    ),
  });
  expect(await server.end('SIGTERM')).toBe(0);
});
