import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import {
  maySeeOrder,
  orderSignature,
  recentOrders,
  recentOrdersMax,
  rememberOrders,
} from './order-access.ts';

const secret = 's'.repeat(32);
const id = (n: number) => `0000-0000-0000-${String(n).padStart(4, '0')}`;

function appWith(settings: { secret: string; publicOrigin?: string }): Hono {
  return new Hono()
    .post('/remember/:id', async (c) => {
      await rememberOrders(c, settings, c.req.param('id'));
      return c.body(null, 204);
    })
    .get('/recent', async (c) => c.json(await recentOrders(c, settings)))
    .get('/may/:id', async (c) =>
      c.json(await maySeeOrder(c, settings, c.req.param('id'), c.req.query('proof'))),
    );
}

const app = appWith({ secret });

async function remember(order: string, cookie = '', on = app): Promise<string> {
  const answer = await on.request(`/remember/${order}`, { method: 'POST', headers: { cookie } });
  return answer.headers.get('set-cookie') as string;
}

async function ask(path: string, cookie: string, on = app): Promise<unknown> {
  return (await on.request(path, { headers: { cookie } })).json();
}

const pair = (setCookie: string) => setCookie.split(';', 1)[0] as string;

describe('the cookie of recent orders', () => {
  it('contains the last twenty orders, newest first, without duplicates', async () => {
    let cookie = '';
    for (let n = 1; n <= recentOrdersMax + 3; n++) cookie = pair(await remember(id(n), cookie));
    cookie = pair(await remember(id(10), cookie));
    const recent = (await ask('/recent', cookie)) as string[];
    expect(recent).toHaveLength(recentOrdersMax);
    expect(recent.slice(0, 3)).toEqual([id(10), id(23), id(22)]);
    expect(recent).not.toContain(id(3));
    expect(recent.filter((order) => order === id(10))).toHaveLength(1);
  });

  it('Q10 is ignored with a wrong signature', async () => {
    const cookie = pair(await remember(id(1)));
    expect(await ask('/recent', cookie)).toEqual([id(1)]);
    expect(await ask('/recent', cookie.replace(id(1), id(2)))).toEqual([]);
    expect(await ask('/recent', `orders=${id(1)}`)).toEqual([]);
    expect(await ask('/recent', 'orders=%ff%00; orders')).toEqual([]);
    expect(await ask('/recent', cookie, appWith({ secret: 'o'.repeat(32) }))).toEqual([]);
  });

  it('is hidden from scripts and other sites', async () => {
    expect(await remember(id(1))).toMatch(/^orders=.*Path=\/; HttpOnly; SameSite=Lax$/);
    expect(await remember(id(1))).not.toContain('Secure');
  });

  it('is Secure and limited to this host behind TLS, also when the proxy uses another host name', async () => {
    const behindTls = appWith({ secret, publicOrigin: 'https://tickets.example' });
    const cookie = await remember(id(1), '', behindTls);
    expect(cookie).toMatch(/^__Host-orders=.*Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(await ask('/recent', pair(cookie), behindTls)).toEqual([id(1)]);
    // A subdomain can set a cookie without the prefix.
    const tossed = pair(cookie).replace('__Host-', '');
    expect(await ask('/recent', tossed, behindTls)).toEqual([]);
  });
});

it('Q10 shows an order to a browser that has it in its cookie, or with its signature', async () => {
  const cookie = pair(await remember(id(1)));
  expect(await ask(`/may/${id(1)}`, cookie)).toBe(true);
  expect(await ask(`/may/${id(2)}`, cookie)).toBe(false);
  expect(await ask(`/may/${id(2)}?proof=${orderSignature(secret, id(2))}`, '')).toBe(true);
  expect(await ask(`/may/${id(2)}?proof=${orderSignature(secret, id(1))}`, '')).toBe(false);
  expect(await ask(`/may/${id(2)}?proof=`, '')).toBe(false);
});
