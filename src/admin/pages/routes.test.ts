import { describe, expect, test } from 'vitest';
import {
  AdminBrowser,
  addresses,
  hidden,
  orderId,
  signedIn,
  words,
} from '../../../test/support/admin-browser.ts';
import { fakeInstance, fakeLost, fakeStatus } from '../../../test/support/fake-admin.ts';
import { fakeApp } from '../../../test/support/fake-app.ts';
import { fakeNow, fakeOrder } from '../../../test/support/fake-engine.ts';
import { StoreUnavailableError } from '../../storage/store.ts';

describe('access', () => {
  test.each([...addresses, ['POST', '/admin/log-in'] as const])(
    '%s %s answers 404 if no admin token is set',
    async (method, path) => {
      const init = method === 'GET' ? {} : { method, body: new URLSearchParams({ token: 'open-sesame' }) };
      const answer = await fakeApp({ hasOperators: false }).request(path, init);
      expect(answer.status).toBe(404);
      expect(answer.headers.get('set-cookie')).toBeNull();
    },
  );

  test.each(addresses)('%s %s only asks to log in if there is no session', async (method, path) => {
    const user = new AdminBrowser();
    const answer = method === 'GET' ? await user.get(path) : await user.post(path, { confirmed: 'yes' });
    expect(answer.status).toBe(path === '/admin' ? 200 : 401);
    expect(answer.text).toContain('Admin token');
    expect(answer.text).not.toMatch(/Flight-1|instance-1|Log out/);
    expect(user.service.calls).toEqual([]);
  });

  test.each(addresses.filter(([method]) => method === 'POST'))(
    '%s %s from another site is refused, signed in or not',
    async (_method, path) => {
      const user = await signedIn();
      const answer = await user.post(path, {}, { origin: 'https://evil.example' });
      expect(answer.status).toBe(403);
      expect(user.service.calls).toEqual([]);
    },
  );

  test('a wrong token shows an alert, and sets no cookie', async () => {
    const answer = await new AdminBrowser().post('/admin/log-in', { token: 'sesame', next: '/admin/log' });
    expect(answer.status).toBe(401);
    expect(words(answer.text)).toContain('That is not the admin token of this server.');
    expect(answer.text).toContain('value="/admin/log"');
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  test('the log-in page tells how long to wait after too many guesses', async () => {
    const refused = await new AdminBrowser().post('/admin/log-in', { token: 'again and again' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '42']);
    expect(words(refused.text)).toContain('Try again in 42 seconds');
  });

  test('the log-in leads to the requested admin page, and never to another site', async () => {
    const leadsTo = async (next: string) =>
      (await new AdminBrowser().post('/admin/log-in', { token: 'open-sesame', next })).location;
    expect(await leadsTo('/admin/orders?status=stuck')).toBe('/admin/orders?status=stuck');
    // A download would leave the log-in page where it is.
    expect(await leadsTo('/admin/export/orders.csv?package=7')).toBe('/admin/export?package=7');
    expect(await leadsTo('/admin/export/reconciliation.csv')).toBe('/admin/export');
    const others = ['//evil.example', 'https://evil.example', '/admin/../x', '/order', '/admin/log-in'];
    for (const next of [...others, '/admin\\@evil.example', '/admin/fragments', '']) {
      expect(await leadsTo(next)).toBe('/admin');
    }
  });

  test('the pages ask to log in again after the log-out', async () => {
    const user = await signedIn();
    expect((await user.get('/admin/log')).status).toBe(200);
    expect((await user.post('/admin/log-out')).location).toBe('/admin');
    expect((await user.get('/admin/log')).status).toBe(401);
  });

  test('an unknown method gets 405, and the CSP allows only our own files', async () => {
    const user = await signedIn();
    const answer = await user.post('/admin/log');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, HEAD, OPTIONS']);
    const policy = (await user.get('/admin')).headers.get('content-security-policy');
    expect(policy).toContain("style-src 'self'");
    expect(policy).not.toContain('unsafe');
  });

  test('no page has an inline script, style or handler, and all data is escaped', async () => {
    const flight = '<img src=x onerror=alert(1)>"\'';
    const order = fakeOrder({ status: 'held', package: { flight, stay: '2022-08-09', price: 1 } });
    const user = await signedIn({
      packages: [fakeStatus({ flight })],
      orders: [{ order, since: 0, health: 'stuck' }],
    });
    for (const [method, path] of addresses.filter(([each]) => each === 'GET')) {
      const { text, headers } = await user.get(path);
      // A file is no page: the browser stores it.
      if (headers.get('content-type')?.startsWith('text/csv')) continue;
      expect(text, `${method} ${path}`).not.toMatch(/<img|<style| style=|<script>| on\w+="/);
    }
  });
});

describe('the overview', () => {
  test('lists problems first, and problems that affect customers on top', async () => {
    const order = fakeOrder({ status: 'held' });
    const user = await signedIn({
      packages: [
        fakeStatus({ id: 2, paused: true }, { waiting: 312 }, { obstacle: 'paused' }),
        fakeStatus({ id: 6 }, { held: 1 }, { owner: { instance: 'instance-3', epoch: 3, state: 'gone' } }),
      ],
      instances: [{ id: 'instance-4', isThis: false, state: 'silent' }],
      orders: [{ order, since: fakeNow - 40_000, health: 'stuck' }],
    });
    const text = words((await user.get('/admin')).text);
    const at = (what: string) => {
      expect(text).toContain(what);
      return text.indexOf(what);
    };
    expect(at('instance-4 is silent')).toBeLessThan(at('Package 6 has no owner'));
    expect(at('1 order is stuck')).toBeLessThan(at('Package 2 is paused with people waiting'));
    expect(at('312 people are in the queue')).toBeLessThan(at('Purchases'));
  });

  test('is shown with a notice while the store is away', async () => {
    const away = () => Promise.reject(new StoreUnavailableError('gone'));
    const list = { list: away };
    const user = await signedIn({}, { packages: { ...list, freeId: away }, orders: list, changes: list });
    const answer = await user.get('/admin');
    expect(answer.status).toBe(200);
    expect(words(answer.text)).toContain('The store does not answer');
    expect((await user.get('/admin/packages/new')).status).toBe(503);
  });

  test('sends its fragments to polls too, with the whole table of packages', async () => {
    const { text } = await (await signedIn()).get('/admin/fragments');
    expect(text).toMatch(/^<table/);
    for (const id of ['packages', 'problems', 'totals', 'concerns', 'instances', 'log']) {
      expect(text).toContain(`id="admin-${id}"`);
    }
  });
});

describe('a package', () => {
  test('is paused after a page showed the effects, and the notice appears once', async () => {
    const user = await signedIn({ packages: [fakeStatus({}, { waiting: 312, held: 3 })] });
    const step = words((await user.get('/admin/packages/1/pause')).text);
    expect(step).toContain('312 in the queue keep their positions.');
    expect(step).toContain('3 orders being booked are finished as usual');
    expect(user.service.calls).toEqual([]);
    const done = await user.follow(await user.post('/admin/packages/1/pause'));
    expect(user.service.calls).toEqual(['pause 1']);
    expect(words(done.text)).toContain('Package 1 is paused. 312 in the queue keep their positions.');
    expect((await user.get('/admin')).text).not.toContain('id="notice"');
    await user.post('/admin/packages/1/resume');
    expect(user.service.calls).toEqual(['pause 1', 'resume 1']);
  });

  test('is archived once its sale has ended, and is found in the archive from then on', async () => {
    const held = fakeStatus({}, { held: 2, nextNumber: 3 });
    const user = await signedIn({ packages: [held, fakeStatus({ id: 2, listed: false })] });
    const early = (await user.get('/admin/packages/1/archive')).text;
    expect(words(early)).toContain('It can still be bought. Pause it or let its sale close first.');
    expect(words(early)).toContain('2 orders are being booked.');
    expect(early).not.toContain('<form method="post" action="/admin/packages/1');
    expect((await user.post('/admin/packages/1/archive')).status).toBe(409);
    const ended = fakeStatus({ paused: true }, { confirmed: 2, nextNumber: 3 }, { obstacle: 'paused' });
    user.service.world.packages = [ended, fakeStatus({ id: 2, listed: false })];
    expect(words((await user.get('/admin/packages/1/archive')).text)).toContain(
      '2 confirmed orders stay valid',
    );
    const done = await user.follow(await user.post('/admin/packages/1/archive'));
    expect(words(done.text)).toContain('Package 1 is archived.');
    expect(words(done.text)).toContain('Archived (1)');
    expect(words(done.text)).toContain('not listed');
    expect(done.text).not.toContain('id="admin-package-1"');
    expect((await user.get('/admin/fragments')).text).not.toContain('id="admin-package-1"');
    expect((await user.get('/admin/packages/archived')).text).toContain('id="admin-package-1"');
    expect((await user.get('/admin/packages/1')).text).not.toContain('href="/admin/packages/1/archive"');
  });

  test('is deleted while nobody has ordered it', async () => {
    const ordered = fakeStatus({ id: 2 }, { nextNumber: 2 });
    const user = await signedIn({ packages: [fakeStatus(), ordered] });
    expect((await user.get('/admin/packages/1')).text).toContain('href="/admin/packages/1/delete"');
    expect(words((await user.get('/admin/packages/1/delete')).text)).toContain('no order is lost');
    expect(user.service.calls).toEqual([]);
    const done = await user.follow(await user.post('/admin/packages/1/delete'));
    expect(words(done.text)).toContain('Package 1 is deleted.');
    expect((await user.get('/admin/packages/1')).status).toBe(404);
    expect((await user.get('/admin/packages/2/delete')).text).not.toContain(
      'method="post" action="/admin/pack',
    );
    expect((await user.post('/admin/packages/2/delete')).status).toBe(409);
  });

  test('is removed from the customers’ list of packages, and put back', async () => {
    const user = await signedIn({ packages: [fakeStatus()] });
    const offer = { flight: 'Flight-1', stay: '2022-08-09', price: '100', opensAt: '', closesAt: '' };
    await user.post('/admin/packages/1', { ...offer, version: '1', unlisted: 'on' });
    expect((await user.get('/admin/packages/1')).text).toContain('name="unlisted" checked');
    await user.post('/admin/packages/1', { ...offer, version: '2' });
    expect(user.service.calls).toEqual(['amend 1 {"listed":false}', 'amend 1 {"listed":true}']);
  });

  test('is resumed from a typed URL too, and a URL that accepts only a form answers 405', async () => {
    const user = await signedIn({
      packages: [fakeStatus({ paused: true }, { waiting: 3 }, { obstacle: 'paused' })],
    });
    const step = await user.get('/admin/packages/1/resume');
    expect(words(step.text)).toContain('Resume package 1?');
    expect(words(step.text)).toContain('3 in the queue are served again.');
    await user.post('/admin/packages/1/resume');
    expect(words((await user.get('/admin/packages/1/resume')).text)).toContain('Package 1 is not paused');
    const retry = await user.get(`/admin/orders/${orderId}/retry`);
    expect([retry.status, words(retry.text).includes('This address takes POST, not GET.')]).toEqual([
      405,
      true,
    ]);
  });

  test('gets another quota if its version is still the one whose effects were shown', async () => {
    const user = await signedIn({
      packages: [fakeStatus({ version: 4 }, { remaining: 12, held: 3, confirmed: 35 })],
    });
    const lower = (await user.get('/admin/packages/1/quota?quota=40')).text;
    expect(words(lower)).toContain('Lowering to 40: 38 are held or confirmed, 2 stay on sale.');
    expect(hidden(lower)).toEqual({ quota: '40', version: '4' });
    const done = await user.follow(await user.post('/admin/packages/1/quota', hidden(lower)));
    expect(words(done.text)).toContain('The quota of package 1 is now 40; it was 50.');
    const raise = words((await user.get('/admin/packages/1/quota?quota=60')).text);
    expect(raise).toContain('Raising to 60');
  });

  test('asks again and shows the current effects if its quota was changed meanwhile', async () => {
    const user = await signedIn({ packages: [fakeStatus({ version: 4 }, { waiting: 5 })] });
    const before = hidden((await user.get('/admin/packages/1/quota?quota=60')).text);
    user.service.world.packages = [fakeStatus({ version: 5, quota: 55 }, { waiting: 9 })];
    const conflict = await user.post('/admin/packages/1/quota', before);
    expect(conflict.status).toBe(409);
    expect(words(conflict.text)).toContain('its quota is now 55');
    expect(words(conflict.text)).toContain('from 55 to 60');
    expect(hidden(conflict.text)).toEqual({ quota: '60', version: '5' });
    expect((await user.post('/admin/packages/1/quota', hidden(conflict.text))).status).toBe(303);
    expect(user.service.world.packages[0]?.package.quota).toBe(60);
  });

  test.each(['37', '-1', '1.5', '1e3', '', 'x'])('keeps its quota when %s is requested', async (quota) => {
    const user = await signedIn({ packages: [fakeStatus({}, { held: 3, confirmed: 35 })] });
    const step = await user.get(`/admin/packages/1/quota?quota=${quota}`);
    expect(step.status).toBe(422);
    expect(step.text).toContain('id="quota-error"');
    expect((await user.post('/admin/packages/1/quota', { quota, version: '1' })).status).toBe(422);
    expect(user.service.world.packages[0]?.package.quota).toBe(50);
  });

  const offer = { flight: 'Flight-1', stay: '2022-08-09', price: '100', opensAt: '', closesAt: '' };

  test('is changed only in the fields that the operator edited', async () => {
    const user = await signedIn({ packages: [fakeStatus({ opensAt: fakeNow - 1_500 })] });
    const opensAt = '2022-07-31T23:59:58.500';
    expect((await user.get('/admin/packages/1')).text).toContain(`value="${opensAt}"`);
    const same = await user.post('/admin/packages/1', { ...offer, opensAt, version: '1' });
    expect(words((await user.follow(same)).text)).toContain('nothing has changed');
    const closesAt = '2022-08-05T18:00';
    await user.post('/admin/packages/1', { ...offer, opensAt, closesAt, price: '120', version: '1' });
    expect(user.service.calls).toEqual([
      `amend 1 ${JSON.stringify({ price: 120, closesAt: Date.UTC(2022, 7, 5, 18) })}`,
    ]);
    await user.post('/admin/packages/1', { ...offer, price: '120', version: '2' });
    expect(user.service.calls.at(-1)).toBe('amend 1 {"opensAt":null,"closesAt":null}');
  });

  test('shows the stored values beside the entered values if another operator changed it', async () => {
    const user = await signedIn({ packages: [fakeStatus({ version: 3, price: 90 })] });
    const conflict = await user.post('/admin/packages/1', { ...offer, price: '120', version: '2' });
    expect(conflict.status).toBe(409);
    expect(words(conflict.text)).toContain('It is now: price 90.');
    expect(conflict.text).toContain('value="120"');
    expect(conflict.text).toContain('name="version" value="3"');
    expect(user.service.calls).toEqual([]);
  });

  test('is changed only after a confirmation if the change would end its sale', async () => {
    const user = await signedIn({ packages: [fakeStatus({}, { waiting: 312 })] });
    const edit = { ...offer, closesAt: '2022-07-01T00:00', version: '1' };
    const step = await user.post('/admin/packages/1', edit);
    expect(step.status).toBe(200);
    expect(words(step.text)).toContain('the sale closes at once');
    expect(words(step.text)).toContain('312 in the queue keep their positions');
    expect(user.service.calls).toEqual([]);
    expect((await user.post('/admin/packages/1', hidden(step.text))).status).toBe(303);
    expect(user.service.calls).toHaveLength(1);
  });

  test.each([
    [{ flight: ' ' }, 'flight'],
    [{ flight: 'x'.repeat(101) }, 'flight'],
    [{ stay: '2022-02-30' }, 'stay'],
    [{ price: '-5' }, 'price'],
    [{ price: '99999999999' }, 'price'],
    [{ opensAt: 'tomorrow' }, 'opensAt'],
    [{ opensAt: '2022-13-01T00:00' }, 'opensAt'],
    [{ opensAt: '2022-08-02T00:00', closesAt: '2022-08-01T00:00' }, 'closesAt'],
  ])('is neither created nor changed with %j, and the wrong field is named', async (wrong, field) => {
    const user = await signedIn();
    const made = await user.post('/admin/packages', { ...offer, id: '7', quota: '5', ...wrong });
    const changed = await user.post('/admin/packages/1', { ...offer, version: '1', ...wrong });
    for (const { status, text } of [made, changed]) {
      expect(status).toBe(422);
      expect(text).toContain(`id="${field}-error"`);
    }
    expect(user.service.calls).toEqual([]);
  });

  test('is created under the next id unless that id was taken meanwhile', async () => {
    const user = await signedIn();
    expect((await user.get('/admin/packages/new')).text).toMatch(/name="id"[^>]* value="2"/);
    const fields = { ...offer, quota: '5', paused: 'on' };
    const taken = await user.post('/admin/packages', { ...fields, id: '1' });
    expect(taken.status).toBe(409);
    expect(words(taken.text)).toContain('Number is taken.');
    const done = await user.post('/admin/packages', { ...fields, id: '2' });
    expect(done.location).toBe('/admin/packages/2');
    expect(user.service.world.packages[1]?.package).toMatchObject({ id: 2, quota: 5, paused: true });
  });

  test.each(['/admin/packages/9', '/admin/packages/x', '/admin/packages/9/pause'])(
    'is not found at %s',
    async (path) => {
      expect((await (await signedIn()).get(path)).status).toBe(404);
    },
  );
});

describe('instances, orders and emails', () => {
  test('an instance is drained after a page showed the effects', async () => {
    const user = await signedIn();
    const step = words((await user.get('/admin/instances/instance-2/drain')).text);
    expect(step).toContain('instance-2 hands over 14 packages to 1 other; 230 viewers reconnect.');
    expect(user.service.calls).toEqual([]);
    const done = await user.follow(await user.post('/admin/instances/instance-2/drain'));
    expect(words(done.text)).toContain('instance-2 is draining.');
    expect((await user.get('/admin/instances/instance-9/drain')).status).toBe(404);
    expect((await user.post('/admin/instances/instance-9/drain')).status).toBe(404);
  });

  test('a lost instance is listed until it is dismissed', async () => {
    const user = await signedIn({ instances: [fakeInstance('instance-1'), fakeLost('instance-2')] });
    const shown = await user.get('/admin');
    expect(words(shown.text)).toContain('instance-2 is lost');
    expect(words(shown.text)).toContain('1 / 2 ready');
    expect(words(shown.text)).toMatch(/Lost for 60 min had 5/);
    expect(words((await user.get('/admin/instances/instance-2/drain')).text)).toContain('It is lost.');
    const done = await user.follow(await user.post('/admin/instances/instance-2/dismiss'));
    expect(words(done.text)).toContain('instance-2 is not shown any more.');
    expect(words(done.text)).toContain('All is well');
    expect((await user.post('/admin/instances/instance-2/dismiss')).status).toBe(404);
  });

  test('the instance that serves the page confirms its own drain without a redirect', async () => {
    const user = await signedIn();
    const own = await user.post('/admin/instances/instance-1/drain');
    expect([own.status, words(own.text).includes('instance-1 is draining.')]).toEqual([200, true]);
  });

  test('an order is retried at once, and cancelled after a page showed the effects', async () => {
    const order = fakeOrder({ status: 'confirmed', flight: { ticketNumber: 'F-1' } });
    const user = await signedIn({ orders: [{ order, since: fakeNow }] });
    const step = words((await user.get(`/admin/orders/${orderId}/cancel`)).text);
    expect(step).toContain('The seat (F-1) and the room are given back');
    expect(user.service.calls).toEqual([]);
    await user.post(`/admin/orders/${orderId}/cancel`);
    await user.post(`/admin/orders/${orderId}/retry`);
    expect(user.service.calls).toEqual([`cancel ${orderId}`, `retry ${orderId}`]);
  });

  test('the page of an order that is being booked explains why it cannot be cancelled', async () => {
    const user = await signedIn({ orders: [{ order: fakeOrder({ status: 'held' }), since: fakeNow }] });
    const step = await user.get(`/admin/orders/${orderId}/cancel`);
    expect(words(step.text)).toContain('cannot be cancelled now');
    expect(step.text).not.toContain('<form method="post" action="/admin/orders');
    const forced = await user.post(`/admin/orders/${orderId}/cancel`);
    expect([forced.status, words(forced.text).includes('is being booked')]).toEqual([409, true]);
  });

  test('orders are found by number, package and status', async () => {
    const user = await signedIn({ orders: [{ order: fakeOrder(), since: fakeNow }] });
    const pasted = encodeURIComponent(`order ${orderId.toLowerCase()}!`);
    expect((await user.get(`/admin/orders?id=${pasted}`)).location).toBe(`/admin/orders/${orderId}`);
    expect((await user.get('/admin/orders?id=nothing')).status).toBe(404);
    expect((await user.get('/admin/orders?package=x')).status).toBe(422);
    expect((await user.get('/admin/orders?package=1&status=queued')).text).toContain(orderId);
    expect((await user.get('/admin/orders?status=held')).text).not.toContain(orderId);
    expect((await user.get('/admin/orders?cursor=%00&status=no-such')).status).toBe(200);
  });

  test('orders are found by email, and the email appears in no URL', async () => {
    const ana = { order: fakeOrder(), since: fakeNow };
    const user = await signedIn(
      { orders: [ana] },
      {
        orders: {
          listByEmail: async (email) =>
            email === ana.order.email ? { items: [ana], next: '1-1' } : { items: [] },
        },
      },
    );
    expect((await user.get('/admin/orders')).text).toContain('action="/admin/orders/search"');
    const found = await user.post('/admin/orders/search', { email: ' ANA@example.com ' });
    const html = found.text;
    expect([found.status, found.headers.get('location')]).toEqual([200, null]);
    expect(html).toContain(`href="/admin/orders/${orderId}"`);
    expect(hidden(html)).toEqual({ email: 'ana@example.com', cursor: '1-1' });
    expect(html).not.toMatch(/(href|action)="[^"]*(ana|%40)/i);
    const none = await user.post('/admin/orders/search', { email: 'eve@example.com' });
    expect(words(none.text)).toContain('No order with this email.');
    expect((await user.post('/admin/orders/search', { email: 'x' })).status).toBe(422);
    expect((await user.get('/admin/orders/search')).status).toBe(303);
  });

  test('an email is erased after a page showed the effects, and appears in no URL or cookie', async () => {
    const user = await signedIn();
    const step = await user.post('/admin/erase', { email: ' Ana@Example.com ' });
    expect(words(step.text)).toContain('This cannot be undone.');
    expect(user.service.calls).toEqual([]);
    const done = await user.post('/admin/erase', hidden(step.text));
    expect(user.service.calls).toEqual(['erase ana@example.com']);
    expect(done.location).toBe('/admin/erase');
    expect(done.headers.getSetCookie().join()).not.toContain('ana');
    const said = words((await user.follow(done)).text);
    expect(said).toContain('The email was erased from 12 orders. 1 order that has not ended still has it.');
    expect((await user.post('/admin/erase', { email: 'ana' })).status).toBe(422);
  });

  test('the log shows who changed what, before and after', async () => {
    const by = { name: 'admin', via: 'session', address: '192.0.2.7' } as const;
    const user = await signedIn({
      changes: [
        {
          ...{ id: 'one', at: fakeNow, by, instance: 'instance-1', outcome: 'done' },
          ...{ action: 'package.amend', target: { packageId: 3 } },
          ...{ before: { quota: 50, version: 1 }, after: { quota: 60, version: 2 } },
        },
      ],
    });
    const text = words((await user.get('/admin/log')).text);
    expect(text).toContain('00:00:00 UTC 1 Aug 2022');
    expect(text).toMatch(/admin in a browser, 192\.0\.2\.7 Changed a package package 3 quota 50 → 60 done/);
    expect((await user.get('/admin/log?cursor=%00')).status).toBe(200);
  });
});

describe('while the store is away', () => {
  const away = () => Promise.reject(new StoreUnavailableError('gone'));

  /** A browser that signed in before the store failed, so nobody can check whether its session was revoked. */
  async function untold() {
    const user = await signedIn({ packages: [fakeStatus({ flight: 'Flight-77' })] });
    expect((await user.get('/admin')).text).toContain('Flight-77');
    const { packages, orders, changes } = user.service;
    for (const subject of [packages, orders, changes]) Object.assign(subject, { list: away });
    Object.assign(user.auth, { access: away });
    return user;
  }

  test('operators with a session still see the overview, with the last data', async () => {
    const user = await untold();
    for (const path of ['/admin', '/admin/fragments']) {
      const { status, text } = await user.get(path);
      expect([path, status]).toEqual([path, 200]);
      expect(words(text)).toContain('The store does not answer');
      expect(words(text)).toContain('Flight-77');
    }
  });

  test('a submitted form is answered with a button that sends it again unchanged', async () => {
    const user = await untold();
    const fields = { flight: 'Flight-7 & "co"', stay: '2030-01-01', price: '7', version: '1' };
    const { status, text } = await user.post('/admin/packages/1', fields);
    expect(status).toBe(503);
    expect(text).toContain('action="/admin/packages/1"');
    expect(hidden(text)).toEqual({ ...fields, flight: 'Flight-7 &amp; &quot;co&quot;' });
  });

  test.each(addresses.filter(([, path]) => !['/admin', '/admin/fragments'].includes(path)))(
    '%s %s shows no data and changes nothing',
    async (method, path) => {
      const user = await untold();
      const answer = method === 'GET' ? await user.get(path) : await user.post(path, { confirmed: 'yes' });
      expect(answer.status).toBe(503);
      expect(answer.text).not.toMatch(/Flight-77|@/);
      expect(user.service.calls).toEqual([]);
    },
  );
});
