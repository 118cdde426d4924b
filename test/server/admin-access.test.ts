import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { startServer, type TestServer } from '../support/server.ts';

const token = 'a-token-for-operators-only';
let server: TestServer;

beforeEach(async () => {
  server = await startServer({ settings: { ADMIN_TOKEN: token } });
});
afterEach(() => server?.stop());

async function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}) {
  const body = new URLSearchParams(fields);
  return fetch(server.origin + path, { method: 'POST', body, headers, redirect: 'manual' });
}

async function logIn(): Promise<string> {
  const answer = await post('/admin/log-in', { token });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/admin']);
  return answer.headers.getSetCookie().join('; ').split(';')[0] ?? '';
}

/** Opens a WebSocket. Returns `open`, or the status of the refusal. */
function connect(headers: Record<string, string>): Promise<'open' | number | undefined> {
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/live?topic=admin`, { headers });
  return new Promise((resolve) => {
    socket.once('open', () => {
      resolve('open');
      socket.close();
    });
    socket.once('unexpected-response', (_request, { statusCode }) => {
      resolve(statusCode);
      socket.terminate();
    });
    socket.on('error', () => undefined);
  });
}

test('the live overview needs a session and our own origin', async () => {
  const cookie = await logIn();
  expect(await connect({})).toBe(401);
  expect(await connect({ cookie: `${cookie}x` })).toBe(401);
  expect(await connect({ cookie: cookie.replace(/\d/, (digit) => String((Number(digit) + 1) % 10)) })).toBe(
    401,
  );
  expect(await connect({ cookie, origin: 'https://evil.example' })).toBe(403);
  expect(await connect({ cookie })).toBe('open');
});

test('the cookie is useless after log-out', async () => {
  const cookie = await logIn();
  expect((await fetch(`${server.origin}/admin/log`, { headers: { cookie } })).status).toBe(200);
  expect((await post('/admin/log-out', {}, { cookie })).status).toBe(303);
  expect((await fetch(`${server.origin}/admin/log`, { headers: { cookie } })).status).toBe(401);
  expect(await connect({ cookie })).toBe(401);
});

test('without an operator there are no admin routes', async () => {
  await server.stop();
  server = await startServer();
  expect((await fetch(`${server.origin}/admin`)).status).toBe(404);
  expect((await post('/admin/log-in', { token })).status).toBe(404);
  expect(await connect({})).toBe(404);
  const headers = { authorization: `Bearer ${token}` };
  for (const path of ['/api/admin/packages', '/api/admin/nothing', '/assets/admin.css', '/assets/admin.js']) {
    expect((await fetch(server.origin + path, { headers })).status, path).toBe(404);
  }
  expect(await (await fetch(`${server.origin}/openapi.json`)).text()).not.toContain('/api/admin');
});

test('all tokens are slowed down after wrong guesses, and no token is logged', async () => {
  const answers: number[] = [];
  for (let guess = 0; guess < 20; guess++) {
    answers.push((await post('/admin/log-in', { token: `guess ${guess}` })).status);
  }
  expect(answers[0]).toBe(401);
  expect(answers.at(-1)).toBe(429);
  const locked = await post('/admin/log-in', { token });
  const waitS = Number(locked.headers.get('retry-after'));
  expect([locked.status, waitS > 30 && waitS <= 60]).toEqual([429, true]);
  expect(await locked.text()).toMatch(/Try again in \d+ seconds/);
  const asked = await fetch(`${server.origin}/api/admin/packages`, {
    headers: { authorization: `Bearer ${token}` },
  });
  expect([asked.status, Number(asked.headers.get('retry-after')) > 30]).toEqual([429, true]);
});
