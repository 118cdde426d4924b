import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { ManualClock, runUntilIdle } from '../../../test/support/manual-clock.ts';
import { onError } from '../../http/problem.ts';
import { silentLog } from '../../observability/log.ts';
import { sendSlowJson } from './slow-json.ts';

const report = { ok: true, packages: 1 };

function slowRoute() {
  const clock = new ManualClock();
  const { promise, resolve, reject } = Promise.withResolvers<typeof report>();
  const app = new Hono().get('/', () => sendSlowJson(promise, clock));
  app.onError(onError(silentLog));
  return { app, clock, resolve, reject };
}

it('a slow response is kept alive with blanks, and the whole response is valid JSON', async () => {
  const { app, clock, resolve } = slowRoute();
  const request = app.request('/');
  await clock.advance(5_000);
  const answer = await request;
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
  const text = answer.text();
  await clock.advance(12_000);
  resolve(report);
  await runUntilIdle();
  expect(await text).toMatch(/^ +\{/);
  expect(JSON.parse(await text)).toEqual(report);
});

it('the connection breaks if the value fails late, because half a response must not look complete', async () => {
  const { app, clock, reject } = slowRoute();
  const request = app.request('/');
  await clock.advance(5_000);
  const text = (await request).text();
  reject(new Error('the suppliers are away'));
  await expect(text).rejects.toThrow();
});
