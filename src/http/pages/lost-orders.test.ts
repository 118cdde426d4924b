import { describe, expect, test } from 'vitest';
import {
  fakeEngine,
  fakeNow,
  fakeOrder,
  fakePackages,
  fakeSnapshot,
} from '../../../test/support/fake-engine.ts';
import type { Order } from '../../domain/order.ts';
import type { BookingEngine } from '../../engine/engine.ts';
import { silentLog } from '../../observability/log.ts';
import type { HttpLimits } from '../../rate-limits/limits.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import type { AppServices } from '../app-services.ts';
import { pageRoutes } from './routes.ts';

const secret = 'a secret of at least 32 characters';
const { id } = fakeOrder();
const opensLater = fakeSnapshot({ id: 2, opensAt: fakeNow + 1000 });
const archived = fakeSnapshot({ id: 3, archived: true });

/** The pages with an engine that counts look-ups by key. */
function pages(engine: Partial<BookingEngine> = {}, limits?: HttpLimits) {
  const lookUps: [number, readonly string[]][] = [];
  let count = 0;
  const deps = {
    engine: fakeEngine({
      ...fakePackages([fakeSnapshot(), opensLater, archived]),
      ...engine,
      ordersByKey: async (packageId, keys) => {
        lookUps.push([packageId, keys]);
        return (await engine.ordersByKey?.(packageId, keys)) ?? [];
      },
    }),
    clock: { now: () => fakeNow, sleep: async () => {} },
    random: { bytes: (length: number) => new Uint8Array(length).fill(++count), fraction: () => 0 },
    log: silentLog,
    settings: { instanceId: 'a', secret, currency: 'USD' },
    ...(limits === undefined ? {} : { limits }),
  };
  const app = pageRoutes(deps as unknown as AppServices, (name) => `/assets/${name}`);
  const cookies = new Map<string, string>();
  /** A browser with its cookies. */
  const ask = async (path: string, fields?: Record<string, string>, headers: Record<string, string> = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const form = fields === undefined ? {} : { method: 'POST', body: new URLSearchParams(fields) };
    const answer = await app.request(path, { ...form, headers: { ...headers, cookie } });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]*)=([^;]*)/.exec(set) ?? [];
      cookies.set(name, value);
    }
    return { answer, text: await answer.text() };
  };
  return { ask, lookUps, cookies };
}

const keyIn = (text: string) => /name="key" value="([^"]*)"/.exec(text)?.[1] ?? '';
const form = (key: string, more = {}) => ({ packageId: '1', email: 'ana@example.com', key, ...more });

describe('the cost of searching for lost orders', () => {
  test('neither a first load nor a script without unanswered purchases reads the store', async () => {
    const { ask, lookUps, cookies } = pages();
    await ask('/order');
    cookies.set('sent', '0');
    for (let times = 0; times < 10; times++)
      for (const path of ['/order', '/order-queue', '/query']) await ask(path);
    expect(lookUps).toEqual([]);
  });

  test('a script’s cookie selects the packages to search, and nothing else', async () => {
    const { ask, lookUps, cookies } = pages();
    const key = keyIn((await ask('/order')).text);
    for (const [hint, packageIds] of [
      ['2', [2]],
      ['1.2', [1, 2]],
      ['99.x.-1.', []],
      ['%00', []],
    ] as const) {
      lookUps.length = 0;
      cookies.set('sent', hint);
      await ask('/query');
      expect(lookUps).toEqual(packageIds.map((packageId) => [packageId, [key]]));
    }
  });

  test('without scripts, only packages that may have sold are searched, and only for a signed cookie', async () => {
    const { ask, lookUps, cookies } = pages();
    const key = keyIn((await ask('/order')).text);
    await ask('/order');
    expect(lookUps).toEqual([[1, [key]]]);
    for (const path of ['/order', '/query']) {
      cookies.set('forms', `${'x'.repeat(22)}.${key}`);
      await ask(path);
    }
    expect(lookUps).toHaveLength(1);
  });

  test('without scripts at most a hundred packages are searched, and then the page does not say that there is no order', async () => {
    const many = Array.from({ length: 150 }, (_, index) => fakeSnapshot({ id: index + 1 }));
    const { ask, lookUps } = pages(fakePackages(many));
    await ask('/order');
    const { text } = await ask('/order');
    expect(lookUps).toHaveLength(100);
    expect(text).not.toContain('we have not received it so far');
  });

  test('a client above its look-up limit gets the form without a search', async () => {
    const policy = { name: 'look-up', count: 1, windowS: 60 };
    const verdict = (isAllowed: boolean) => ({ policy, isAllowed, remaining: 0, resetMs: 60_000 });
    const limit = (isAllowed: boolean) => ({ policies: '', take: async () => verdict(isAllowed) });
    const limits = { read: limit(true), lookUp: limit(false) } as unknown as HttpLimits;
    const { ask, lookUps } = pages({}, limits);
    await ask('/order');
    const again = await ask('/order');
    expect(again.answer.status).toBe(200);
    expect(lookUps).toEqual([]);
  });
});

describe('an order whose answer was lost', () => {
  const lost = (key: string): Order => fakeOrder({ key, status: 'held' });

  test('Q7 Q10 is found by the cookie that was set with its form, and the browser is redirected to the order once', async () => {
    const sent: string[] = [];
    const { ask, lookUps } = pages({
      ordersByKey: async (_id, keys) => sent.filter((key) => keys.includes(key)).map(lost),
    });
    sent.push(keyIn((await ask('/order')).text));
    const { answer } = await ask('/order-queue');
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toMatch(new RegExp(`^/orders/${id}\\?from=queue`));
    expect((await ask(`/orders/${id}`)).text).toContain(id);
    expect((await ask('/order')).answer.status).toBe(200);
    expect(lookUps).toHaveLength(1);
  });

  test('is listed under “My orders”', async () => {
    const { ask } = pages({ ordersByKey: async (_id, [key = '']) => [lost(key)] });
    await ask('/order');
    const { text } = await ask('/query');
    expect(text.match(new RegExp(`href="/orders/${id}"`, 'g'))).toHaveLength(1);
    expect((await ask('/query')).text.match(new RegExp(`href="/orders/${id}"`, 'g'))).toHaveLength(1);
  });

  test('is searched for while it is being stored, and while the store is unavailable', async () => {
    const begun = Promise.withResolvers<void>();
    const stored = Promise.withResolvers<void>();
    const { ask } = pages({
      purchase: async () => {
        begun.resolve();
        await stored.promise;
        return { kind: 'refused', code: 'sold_out' };
      },
    });
    const key = keyIn((await ask('/order')).text);
    const bought = ask('/order', form(key));
    await begun.promise;
    for (const path of ['/order', '/query']) {
      const { text } = await ask(path);
      expect(text).toContain('Looking for your order…');
      expect(text).toContain('<noscript><meta http-equiv="refresh" content="2"></noscript>');
    }
    expect((await ask('/order/sent', form(key))).answer.status).toBe(202);
    stored.resolve();
    await bought;
    const { text } = await ask('/order');
    expect(text).toContain('we have not received it so far');

    const away = pages({
      ordersByKey: async () => {
        throw new StoreUnavailableError('gone');
      },
    });
    await away.ask('/order');
    expect((await away.ask('/order')).text).toContain('Looking for your order…');
  });
});

describe('POST /order/sent', () => {
  const found = pages({ ordersByKey: async (_id, [key = '']) => (key === 'k' ? [fakeOrder({ key })] : []) });

  test('redirects a browser to the order, and gives a script only the URL', async () => {
    const { answer } = await found.ask('/order/sent', form('k'));
    expect([answer.status, answer.headers.get('location')?.slice(0, 27)]).toEqual([303, `/orders/${id}`]);
    const minimal = await found.ask('/order/sent', form('k'), { Prefer: 'return=minimal' });
    expect([minimal.answer.status, minimal.text]).toEqual([200, '']);
    expect(minimal.answer.headers.get('location')).toMatch(`/orders/${id}`);
    expect(minimal.answer.headers.get('preference-applied')).toBe('return=minimal');
  });

  test('Q10 gives the same answer to every failed look-up', async () => {
    const misses = await Promise.all([
      found.ask('/order/sent', form('other')),
      found.ask('/order/sent', form('k', { email: 'ben@example.com' })),
    ]);
    expect(misses.map(({ answer }) => answer.status)).toEqual([404, 404]);
    expect(misses[0]?.text).toBe(misses[1]?.text);
    expect(misses[0]?.text).not.toContain(id);
    expect((await found.ask('/order/sent', form(''))).answer.status).toBe(422);
  });
});

describe('a second order of the same trip', () => {
  const withFirst = (first: Partial<Order>, engine: Partial<BookingEngine> = {}) => {
    let bought = 0;
    const made = pages({
      orders: async () => [fakeOrder({ key: 'first', ...first })],
      purchase: async () => {
        bought++;
        return { kind: 'accepted', order: fakeOrder({ key: 'first' }) };
      },
      ...engine,
    });
    return { ...made, bought: () => bought };
  };

  test.each([
    ['confirmed', 1],
    ['held', 1],
    ['queued', 1],
    ['compensating', 2],
    ['failed', 2],
    ['rejected', 2],
    ['withdrawn', 2],
    ['cancelling', 2],
    ['cancelled', 2],
  ] as const)(
    'needs a confirmation unless the first order ended without a trip: %s',
    async (status, boughtThen) => {
      const { ask, bought } = withFirst({ status });
      await ask('/order', form('first'));
      const { answer, text } = await ask('/order', form('second'));
      expect(bought()).toBe(boughtThen);
      if (boughtThen === 2) return;
      expect(answer.status).toBe(409);
      expect(text).toContain('name="key" value="second"');
      await ask('/order', form('second', { another: 'yes' }));
      expect(bought()).toBe(2);
    },
  );

  test('Q7 needs no confirmation when it repeats the first or the second purchase', async () => {
    const { ask, bought } = withFirst(
      { status: 'confirmed' },
      { ordersByKey: async (_id, [key]) => (key === 'second' ? [fakeOrder({ key })] : []) },
    );
    await ask('/order', form('first'));
    await ask('/order', form('first'));
    await ask('/order', form('second'));
    expect(bought()).toBe(3);
  });

  test('needs a confirmation without scripts, also when the first order was stored late and its answer was lost', async () => {
    let isStored = false;
    let first = '';
    const { ask, bought, cookies } = withFirst(
      {},
      {
        ordersByKey: async (_id, keys) =>
          isStored && keys.includes(first) ? [fakeOrder({ key: first, status: 'held' })] : [],
        order: async () => fakeOrder({ key: first, status: 'held' }),
      },
    );
    first = keyIn((await ask('/order')).text);
    const second = keyIn((await ask('/order')).text);
    isStored = true;
    const { answer } = await ask('/order', form(second));
    expect([answer.status, bought()]).toEqual([409, 0]);
    expect((await ask(`/orders/${id}`)).answer.status).toBe(200);
    await ask('/order', form(first));
    expect(bought()).toBe(1);
    cookies.set('sent', '0');
    cookies.delete('orders');
    await ask('/order', form(second));
    expect(bought()).toBe(2);
  });

  test('needs no confirmation for another trip, nor in a browser without orders', async () => {
    const { ask, bought } = withFirst({ status: 'confirmed', packageId: 2 });
    await ask('/order', form('first'));
    await ask('/order', form('second'));
    expect(bought()).toBe(2);
  });
});
