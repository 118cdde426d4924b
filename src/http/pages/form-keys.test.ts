import { Hono } from 'hono';
import { expect, it } from 'vitest';
import { forgetFormKeys, issueFormKey, openFormKeys, openFormsMax } from './form-keys.ts';

const settings = { secret: 's'.repeat(32) };

function appWith(of: { secret: string; publicOrigin?: string }): Hono {
  let count = 0;
  const random = { bytes: (length: number) => new Uint8Array(length).fill(++count), fraction: () => 0 };
  return new Hono()
    .get('/form', (c) => c.text(issueFormKey(c, { settings: of, random })))
    .get('/form-instead-of/:key', (c) => {
      forgetFormKeys(c, of, [c.req.param('key')]);
      return c.text(issueFormKey(c, { settings: of, random }));
    })
    .get('/keys', (c) => c.json(openFormKeys(c, of)))
    .post('/answer/:key', (c) => {
      forgetFormKeys(c, of, [c.req.param('key')]);
      return c.body(null, 204);
    });
}

const app = appWith(settings);
const pair = (answer: Response) => answer.headers.get('set-cookie')?.split(';', 1)[0] ?? '';

async function form(cookie: string) {
  const answer = await app.request('/form', { headers: { cookie } });
  return { key: await answer.text(), cookie: pair(answer), header: answer.headers.get('set-cookie') };
}

const keysIn = async (cookie: string, on = app) =>
  (await on.request('/keys', { headers: { cookie } })).json();

it('contains the keys of the newest forms, until these forms are answered', async () => {
  const keys: string[] = [];
  let cookie = '';
  for (let n = 0; n < openFormsMax + 2; n++) {
    const given = await form(cookie);
    keys.unshift(given.key);
    cookie = given.cookie;
  }
  expect(await keysIn(cookie)).toEqual(keys.slice(0, openFormsMax));
  const answered = await app.request(`/answer/${keys[1]}`, { method: 'POST', headers: { cookie } });
  expect(await keysIn(pair(answered))).toEqual([keys[0], ...keys.slice(2, openFormsMax)]);
  const unknown = await app.request('/answer/other', { method: 'POST', headers: { cookie } });
  expect(unknown.headers.get('set-cookie')).toBe(null);
});

it('Q10 ignores a cookie with a wrong signature, and hides it from scripts', async () => {
  const { key, cookie, header } = await form('');
  expect(key).toMatch(/^[\w-]{22}$/);
  expect(await keysIn(cookie)).toEqual([key]);
  expect(await keysIn(`${cookie}.another-key`)).toEqual([]);
  expect(await keysIn(`forms=${key}`)).toEqual([]);
  expect(await keysIn('forms=%ff%00; forms')).toEqual([]);
  expect(await keysIn(cookie, appWith({ secret: 'o'.repeat(32) }))).toEqual([]);
  expect(header).toMatch(/^forms=.*; Max-Age=86400; Path=\/; HttpOnly; SameSite=Lax$/);
});

it('removes an answered key also in an answer that adds the key of another form', async () => {
  const old = await form('');
  const answer = await app.request(`/form-instead-of/${old.key}`, { headers: { cookie: old.cookie } });
  const last = answer.headers.getSetCookie().at(-1)?.split(';', 1)[0] ?? '';
  expect(await keysIn(last)).toEqual([await answer.text()]);
});
