import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { fakeAdmin, fakeOperator, fakeSessions } from '../../../test/support/fake-admin.ts';
import { ManualClock, runUntilIdle } from '../../../test/support/manual-clock.ts';
import { onError } from '../../http/problem.ts';
import { silentLog } from '../../observability/log.ts';
import type { Outcome } from '../admin-service.ts';
import { auditRoutes } from './audit.ts';

const report = {
  ...{ ok: true, packages: 1, orders: 2, reservations: 2, publicReservations: 0, suppliersRead: true },
  ...{ inMotion: [], findings: [] },
};

function slowAudit() {
  const clock = new ManualClock();
  const { promise, resolve, reject } = Promise.withResolvers<Outcome<typeof report>>();
  const deps = {
    service: fakeAdmin({}, { audit: () => promise }),
    sessions: fakeSessions(),
    identity: { identify: async () => fakeOperator },
    clock,
  };
  const app = new Hono().route('/', auditRoutes(deps) as unknown as Hono);
  app.onError(onError(silentLog));
  return { app, clock, resolve, reject };
}

it('an audit that takes long is kept alive with blanks, and is JSON in the end', async () => {
  const { app, clock, resolve } = slowAudit();
  const asked = app.request('/');
  await clock.advance(5_000);
  const answer = await asked;
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
  const text = answer.text();
  await clock.advance(12_000);
  resolve({ kind: 'done', value: report });
  await runUntilIdle();
  expect(await text).toMatch(/^ +\{/);
  expect(JSON.parse(await text)).toEqual(report);
});

it('one that fails late is cut off: nobody takes half of it for an answer', async () => {
  const { app, clock, reject } = slowAudit();
  const asked = app.request('/');
  await clock.advance(5_000);
  const text = (await asked).text();
  reject(new Error('the suppliers are away'));
  await expect(text).rejects.toThrow();
});
