import { afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { logInAsOperator } from '../support/api-client.ts';
import { onSale, startServer, type TestServer } from '../support/server.ts';

/* Several operators, each with a token of its own; ben may only read. */

const tokens = {
  admin: 'a-token-for-operators-only',
  anna: 'the-token-of-anna-0123456789',
  ben: 'the-token-of-ben-0123456789',
} as const;
type Name = keyof typeof tokens;

let server: TestServer;

beforeEach(async () => {
  const ADMIN_TOKENS = `anna:${tokens.anna},ben:${tokens.ben}:read`;
  server = await startServer({
    settings: { ADMIN_TOKEN: tokens.admin, ADMIN_TOKENS },
    packages: [onSale({ quota: 5 })],
  });
});
afterEach(() => server?.stop());

function ask(name: Name, method: string, path: string, body?: object): Promise<Response> {
  return fetch(`${server.origin}/api/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${tokens[name]}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

function post(path: string, cookie: string, fields: Record<string, string> = {}): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(server.origin + path, { method: 'POST', body, headers: { cookie }, redirect: 'manual' });
}

interface Change {
  readonly by: { readonly name: string; readonly via: string };
  readonly action: string;
}

/** Who did what, oldest first. */
async function changes(): Promise<string[]> {
  const answer = (await (await ask('ben', 'GET', '/changes')).json()) as { changes: readonly Change[] };
  return answer.changes.map(({ by, action }) => `${by.name} ${by.via} ${action}`).reverse();
}

test('the change log names the operator of each change, by token and by session', async () => {
  expect((await ask('anna', 'POST', '/packages/1/pause')).status).toBe(200);
  expect((await ask('admin', 'POST', '/packages/1/resume')).status).toBe(200);
  const cookie = await logInAsOperator(server.origin, tokens.anna);
  expect((await post('/admin/packages/1/pause', cookie)).status).toBe(303);
  expect((await post('/admin/log-out', cookie)).status).toBe(303);
  expect(await changes()).toEqual([
    'anna token package.pause',
    'admin token package.resume',
    'anna session session.start',
    'anna session package.pause',
    'anna session session.end',
  ]);
  const ofAdmin = await logInAsOperator(server.origin, tokens.admin);
  const log = await (await fetch(`${server.origin}/admin/log`, { headers: { cookie: ofAdmin } })).text();
  expect(log).toContain('<span>anna</span>');
});

test('an operator who may only read gets every answer, and changes nothing by the API', async () => {
  const reads = ['/packages', '/packages/1', '/instances', '/orders', '/audit', '/changes'];
  for (const path of reads) expect((await ask('ben', 'GET', path)).status, path).toBe(200);
  expect((await ask('ben', 'POST', '/orders/search', { email: 'ana@example.com' })).status).toBe(200);
  const refused: [method: string, path: string, body?: object][] = [
    ['POST', '/packages', { flight: 'F', stay: '2030-01-01', price: 1, quota: 1 }],
    ['PATCH', '/packages/1', { version: 1, quota: 9 }],
    ['DELETE', '/packages/1'],
    ['POST', '/packages/1/pause'],
    ['POST', '/packages/1/archive'],
    ['POST', '/instances/nobody/drain'],
    ['POST', '/orders/7Q4M-9XKD-2VBN-H5TR/retry'],
    ['POST', '/orders/7Q4M-9XKD-2VBN-H5TR/cancel'],
    ['POST', '/erase', { email: 'ana@example.com' }],
  ];
  for (const [method, path, body] of refused) {
    const answer = await ask('ben', method, path, body);
    expect([path, answer.status, await answer.json()]).toMatchObject([path, 403, { code: 'read_only' }]);
  }
  expect(await (await ask('ben', 'GET', '/packages/1')).json()).toMatchObject({ version: 1, quota: 5 });
  expect(await changes()).toEqual([]);
});

test('an operator who may only read sees the pages and their live updates, and changes nothing there', async () => {
  const cookie = await logInAsOperator(server.origin, tokens.ben);
  for (const path of ['/admin', '/admin/packages/1', '/admin/orders', '/admin/log', '/admin/erase']) {
    const answer = await fetch(server.origin + path, { headers: { cookie } });
    expect([path, answer.status]).toEqual([path, 200]);
    expect(await answer.text()).toContain('You are logged in as <b>ben</b>, who may only read.');
  }
  const socket = new WebSocket(`${server.origin.replace('http', 'ws')}/live?topic=admin`, {
    headers: { cookie },
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  socket.close();
  for (const path of ['/admin/packages/1/pause', '/admin/packages/1/delete', '/admin/erase']) {
    const answer = await post(path, cookie, { email: 'ana@example.com', confirmed: 'yes' });
    expect([path, answer.status]).toEqual([path, 403]);
    expect(await answer.text()).toContain('This operator may only read.');
  }
  // The API accepts the same session, and the same right.
  const byApi = await fetch(`${server.origin}/api/admin/packages/1/pause`, {
    method: 'POST',
    headers: { cookie, 'sec-fetch-site': 'same-origin' },
  });
  expect([byApi.status, await byApi.json()]).toMatchObject([403, { code: 'read_only' }]);
  expect((await post('/admin/log-out', cookie)).status).toBe(303);
  expect((await fetch(`${server.origin}/admin/log`, { headers: { cookie } })).status).toBe(401);
  expect(await changes()).toEqual(['ben session session.start', 'ben session session.end']);
});

test('wrong guesses lock an address out of the tokens of all operators', async () => {
  for (let guess = 0; guess < 10; guess++) {
    await post('/admin/log-in', '', { token: `guess ${guess}` });
  }
  for (const name of Object.keys(tokens) as Name[]) {
    const answer = await ask(name, 'GET', '/packages');
    expect([answer.status, Number(answer.headers.get('retry-after')) > 30]).toEqual([429, true]);
    expect((await post('/admin/log-in', '', { token: tokens[name] })).status).toBe(429);
  }
});
