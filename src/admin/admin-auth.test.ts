import { Hono } from 'hono';
import { beforeEach, describe, expect, it } from 'vitest';
import { fakeAdmin } from '../../test/support/fake-admin.ts';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { type RecordingLog, recordingLog } from '../../test/support/recording-log.ts';
import { bindings } from '../http/bindings.ts';
import { onError } from '../http/problem.ts';
import { silentLog } from '../observability/log.ts';
import type { Operator } from '../storage/operator-log.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import { AdminAuth, type AdminAuthOptions } from './admin-auth.ts';

const token = 'the-admin-token-of-this-server';
const operators = [
  { name: 'admin', token, mayChange: true },
  { name: 'anna', token: 'the-token-of-anna-who-may-change', mayChange: true },
  { name: 'ben', token: 'the-token-of-ben-who-may-only-read', mayChange: false },
] as const;
const [, anna, ben] = operators;
const secret = 's'.repeat(32);
const hour = 60 * 60 * 1_000;

let clock: ManualClock;
let ended: Set<string>;
let drawn: number;
let log: RecordingLog;

beforeEach(() => {
  clock = new ManualClock();
  ended = new Set();
  drawn = 0;
  log = recordingLog();
});

function appWith(over: Partial<AdminAuthOptions> = {}) {
  const { sessions } = fakeAdmin(
    {},
    {
      sessions: {
        isRevoked: async (session) => ended.has(session),
        revoke: async (by) => {
          ended.add(by.session as string);
          return { kind: 'done', value: true };
        },
      },
    },
  );
  const bytes = (count: number) => new Uint8Array(count).fill(++drawn);
  const auth = new AdminAuth({
    ...{ sessions, operators, clock, log, settings: { secret }, random: { bytes, fraction: () => 0 } },
    clientOf: ({ headers }) => String(headers['x-test-client'] ?? '192.0.2.1'),
    ...over,
  });
  const app = new Hono()
    .on(['GET', 'POST'], '/who', async (c) => {
      const { operator, mayChange } = await auth.identify(c.req.raw, bindings(c).incoming);
      return c.json({ ...operator, mayChange });
    })
    .post('/change', async (c) => {
      auth.requireChange(await auth.identify(c.req.raw, bindings(c).incoming));
      return c.body(null, 204);
    })
    .post('/in', async (c) => {
      const given = c.req.header('x-token') ?? '';
      c.header('Set-Cookie', await auth.logIn(given, c.req.header('cookie'), bindings(c).incoming));
      return c.body(null, 204);
    })
    .post('/out', async (c) => {
      const access = await auth.access(c.req.header('cookie'));
      c.header('Set-Cookie', await auth.logOut(access?.operator as Operator));
      return c.body(null, 204);
    });
  app.onError(onError(silentLog));
  const send = (method: string, path: string, headers: Record<string, string> = {}) =>
    app.request(`http://tickets.example${path}`, { method, headers }, {
      incoming: { socket: {}, headers },
    } as object);
  const logIn = async (given: string = token) => {
    const answer = await send('POST', '/in', { 'x-token': given });
    return (answer.headers.get('set-cookie') as string).split(';')[0] as string;
  };
  return { auth, send, logIn };
}

const bearer = (given: string) => ({ authorization: `Bearer ${given}` });

describe('the bearer token', () => {
  it('identifies an operator, whatever the case of the scheme `Bearer`', async () => {
    const { send } = appWith();
    for (const authorization of [`Bearer ${token}`, `bearer  ${token}`]) {
      const answer = await send('GET', '/who', { authorization });
      const admin = { name: 'admin', via: 'token', address: '192.0.2.1', mayChange: true };
      expect(await answer.json()).toEqual(admin);
    }
  });

  it.each([
    ['none', {}],
    ['another', bearer('another')],
    ['the beginning of it', bearer(token.slice(0, -1))],
    ['an empty one', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${token}` }],
    ['no session', { cookie: 'admin_session=AAAAAAAAAAAAAAAAAAAAAA.1.c2lnbmVk' }],
  ])('that is %s is answered 401', async (_, headers) => {
    const answer = await appWith().send('GET', '/who', headers);
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="admin"');
    expect(await answer.json()).toMatchObject({ code: 'unauthorized' });
  });

  it('is refused without a check after ten wrong guesses of the same client, and other clients are not affected', async () => {
    const { send } = appWith();
    for (let each = 0; each < 10; each++) {
      expect((await send('GET', '/who', bearer(`guess-${each}`))).status).toBe(401);
    }
    // The log has one line for each wrong guess, and none for a refused attempt.
    const answer = await send('GET', '/who', bearer(token));
    expect(log.lines).toHaveLength(10);
    expect(answer.status).toBe(429);
    expect(answer.headers.get('retry-after')).toBe('60');
    const other = await send('GET', '/who', { ...bearer(token), 'x-test-client': '192.0.2.2' });
    expect(other.status).toBe(200);
    expect((await send('POST', '/in', { 'x-token': token })).status).toBe(429);
    await clock.advance(60_000);
    expect((await send('GET', '/who', bearer(token))).status).toBe(200);
  });

  it('is refused if it is wrong, even with a valid session', async () => {
    const { send, logIn } = appWith();
    const cookie = await logIn();
    expect((await send('GET', '/who', { ...bearer('another'), cookie })).status).toBe(401);
  });
});

describe('a session', () => {
  it('has a cookie that is hidden from scripts and other sites', async () => {
    const answer = await appWith().send('POST', '/in', { 'x-token': token });
    const cookie = answer.headers.get('set-cookie') as string;
    expect(cookie).toMatch(/^admin_session=/);
    for (const part of ['HttpOnly', 'SameSite=Strict', 'Path=/', 'Max-Age=28800'])
      expect(cookie).toContain(part);
    expect(cookie).not.toContain('Secure');
    expect(cookie).not.toContain(token);
  });

  it('has a __Host- cookie behind TLS, and accepts no other cookie there', async () => {
    const settings = { secret, publicOrigin: 'https://tickets.example' };
    const { send } = appWith({ settings });
    const answer = await send('POST', '/in', { 'x-token': token });
    const set = answer.headers.get('set-cookie') as string;
    expect(set).toMatch(/^__Host-admin_session=.*; Secure/);
    const cookie = set.split(';')[0] as string;
    expect((await send('GET', '/who', { cookie })).status).toBe(200);
    expect((await send('GET', '/who', { cookie: cookie.replace('__Host-', '') })).status).toBe(401);
    const out = await send('POST', '/out', { cookie });
    expect(out.headers.get('set-cookie')).toMatch(/^__Host-admin_session=;.*Max-Age=0.*; Secure/);
  });

  it('replaces the former session of the browser', async () => {
    const { send, logIn } = appWith();
    const former = await logIn();
    const answer = await send('POST', '/in', { 'x-token': token, cookie: former });
    const cookie = (answer.headers.get('set-cookie') as string).split(';')[0] as string;
    expect((await send('GET', '/who', { cookie: former })).status).toBe(401);
    expect((await send('GET', '/who', { cookie })).status).toBe(200);
    // A log-in with a wrong token does not end the session.
    await send('POST', '/in', { 'x-token': 'another', cookie });
    expect((await send('GET', '/who', { cookie })).status).toBe(200);
  });

  it('begins only with the right token', async () => {
    const answer = await appWith().send('POST', '/in', { 'x-token': 'another' });
    expect(await answer.json()).toMatchObject({ code: 'unauthorized' });
    expect(answer.headers.get('set-cookie')).toBeNull();
  });

  it('identifies an operator for eight hours', async () => {
    const { send, logIn } = appWith();
    const cookie = await logIn();
    const who = async () => (await send('GET', '/who', { cookie })).status;
    expect(await (await send('GET', '/who', { cookie })).json()).toMatchObject({
      via: 'session',
      session: 'AQEBAQEBAQEBAQEBAQEBAQ',
      address: '192.0.2.1',
    });
    await clock.advance(8 * hour - 1);
    expect(await who()).toBe(200);
    await clock.advance(1);
    expect(await who()).toBe(401);
  });

  it('ends at log-out, also for a copy of its cookie, and other sessions continue', async () => {
    const { send, logIn } = appWith();
    const [cookie, other] = [await logIn(), await logIn()];
    const out = await send('POST', '/out', { cookie });
    expect(out.headers.get('set-cookie')).toMatch(/^admin_session=;.*Max-Age=0/);
    expect((await send('GET', '/who', { cookie })).status).toBe(401);
    expect((await send('GET', '/who', { cookie: other })).status).toBe(200);
  });

  it('ends when the token or the secret changes', async () => {
    const cookie = await appWith().logIn();
    const renewed = [{ name: 'admin', token: 'a new one', mayChange: true }, anna, ben];
    for (const over of [{ operators: renewed }, { settings: { secret: 't'.repeat(32) } }]) {
      expect((await appWith(over).send('GET', '/who', { cookie })).status).toBe(401);
    }
    expect((await appWith().send('GET', '/who', { cookie })).status).toBe(200);
  });

  it('cannot be forged or extended', async () => {
    const { send, logIn } = appWith();
    const [name, value] = (await logIn()).split('=') as [string, string];
    const [session, at, ...signature] = decodeURIComponent(value).split('.') as [string, string];
    const forged = `${name}=${encodeURIComponent([session, Number(at) + hour, ...signature].join('.'))}`;
    expect((await send('GET', '/who', { cookie: forged })).status).toBe(401);
  });

  it('is refused with 503 while its revocation cannot be checked', async () => {
    const { logIn } = appWith();
    const cookie = await logIn();
    const isRevoked = () => Promise.reject(new StoreUnavailableError('away'));
    const { send } = appWith({ sessions: fakeAdmin({}, { sessions: { isRevoked } }).sessions });
    expect((await send('GET', '/who', { cookie })).status).toBe(503);
    const again = await send('POST', '/in', { 'x-token': token, cookie });
    expect(await again.json()).toMatchObject({ code: 'store_unavailable' });
    expect(again.headers.get('set-cookie')).toBeNull();
  });

  it.each([
    ['another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    ['another site, in an old browser', { origin: 'https://evil.example' }, 403],
    ['another host of this site', { 'sec-fetch-site': 'same-site' }, 403],
    ['a page of nobody', { origin: 'null' }, 403],
    ['the address bar', { 'sec-fetch-site': 'none' }, 403],
    ['our own pages', { origin: 'http://tickets.example', 'sec-fetch-site': 'same-origin' }, 200],
  ] as const)('accepts changes only from our own pages: %s', async (_, headers, status) => {
    const { send, logIn } = appWith();
    const cookie = await logIn();
    expect((await send('POST', '/who', { ...headers, cookie })).status).toBe(status);
    // A request with the bearer token cannot come from another site's page.
    expect((await send('POST', '/who', { ...headers, ...bearer(token) })).status).toBe(200);
    expect((await send('GET', '/who', { cookie })).status).toBe(200);
  });
});

describe('each of several operators', () => {
  it('is identified by the own token, with the own right', async () => {
    const { send } = appWith();
    for (const { name, token: own, mayChange } of operators) {
      const answer = await send('GET', '/who', bearer(own));
      expect(await answer.json()).toEqual({ name, via: 'token', address: '192.0.2.1', mayChange });
    }
    const pieces = bearer(`${anna.token.slice(0, 16)}${ben.token.slice(16)}`);
    expect((await send('GET', '/who', pieces)).status).toBe(401);
  });

  it('has sessions in the own name, which only the own log-out and the own token end', async () => {
    const app = appWith();
    const ofAnna = await app.logIn(anna.token);
    const ofBen = await app.logIn(ben.token);
    const names = ({ send }: ReturnType<typeof appWith>) =>
      Promise.all(
        [ofAnna, ofBen].map(async (cookie) => {
          const answer = await send('GET', '/who', { cookie });
          return ((await answer.json()) as { name?: string }).name;
        }),
      );
    expect(await names(app)).toEqual(['anna', 'ben']);
    const renewed = [{ ...anna, token: 'another-token-of-anna' }, ben];
    expect(await names(appWith({ operators: renewed }))).toEqual([undefined, 'ben']);
    expect(await names(appWith({ operators: [ben] }))).toEqual([undefined, 'ben']);
    await app.send('POST', '/out', { cookie: ofAnna });
    expect(await names(app)).toEqual([undefined, 'ben']);
  });

  it('is in the log of changes with the beginning and the end of a session', async () => {
    const logged: string[] = [];
    const { sessions } = fakeAdmin(
      {},
      {
        sessions: {
          started: async ({ name }) => {
            logged.push(`${name} in`);
            return { kind: 'done', value: true };
          },
          revoke: async ({ name }) => {
            logged.push(`${name} out`);
            return { kind: 'done', value: true };
          },
        },
      },
    );
    const { send } = appWith({ sessions });
    const first = await send('POST', '/in', { 'x-token': anna.token });
    const cookie = (first.headers.get('set-cookie') as string).split(';')[0] as string;
    // Another operator at the same browser ends the session of the one before.
    await send('POST', '/in', { 'x-token': ben.token, cookie });
    expect(logged).toEqual(['anna in', 'anna out', 'ben in']);
  });

  it('gets the right of the settings also with an older session', async () => {
    const cookie = await appWith().logIn(ben.token);
    const { send } = appWith({ operators: [{ ...ben, mayChange: true }] });
    expect((await send('POST', '/change', { cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(204);
  });

  it('is locked out with the others of an address after wrong guesses', async () => {
    const { send } = appWith();
    for (let each = 0; each < 10; each++) await send('GET', '/who', bearer(`guess-${each}`));
    for (const { token: own } of operators) expect((await send('GET', '/who', bearer(own))).status).toBe(429);
  });
});

describe('an operator who may only read', () => {
  it('is refused every change with 403 and a line in the log, by token and by session', async () => {
    const { send, logIn } = appWith();
    const own = { 'sec-fetch-site': 'same-origin' };
    for (const headers of [bearer(ben.token), { cookie: await logIn(ben.token), ...own }]) {
      const answer = await send('POST', '/change', headers);
      expect([answer.status, await answer.json()]).toMatchObject([403, { code: 'read_only' }]);
    }
    expect(log.lines).toEqual(Array(2).fill('an operator who may only read has asked for a change'));
    for (const headers of [bearer(anna.token), { cookie: await logIn(token), ...own }]) {
      expect((await send('POST', '/change', headers)).status).toBe(204);
    }
  });
});

describe('a watcher of the overview', () => {
  const isRevoked = () => Promise.reject(new StoreUnavailableError('away'));

  it('has a session that was not revoked', async () => {
    const { auth, send, logIn } = appWith();
    const cookie = await logIn(ben.token);
    expect(await auth.watcher(cookie)).toMatchObject({ operator: { name: 'ben' }, mayChange: false });
    await send('POST', '/out', { cookie });
    expect(await auth.watcher(cookie)).toBeUndefined();
    expect(await auth.watcher(undefined)).toBeUndefined();
  });

  it('may watch with a valid cookie while the store is away, and with no other one', async () => {
    const cookie = await appWith().logIn(ben.token);
    const { auth } = appWith({ sessions: fakeAdmin({}, { sessions: { isRevoked } }).sessions });
    expect(await auth.watcher(cookie)).toMatchObject({ operator: { name: 'ben' }, mayChange: false });
    expect(await auth.watcher(`${cookie}x`)).toBeUndefined();
    await expect(auth.access(cookie)).rejects.toBeInstanceOf(StoreUnavailableError);
  });
});
