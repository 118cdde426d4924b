import { describe, expect, test, vi } from 'vitest';
import {
  fakeEngine,
  fakeNow,
  fakeOrder,
  fakePackages,
  fakeSnapshot,
} from '../../../test/support/fake-engine.ts';
import { type Order, orderStatuses } from '../../domain/order.ts';
import type { BookingEngine, PurchaseRequest, Settling } from '../../engine/engine.ts';
import { silentLog } from '../../observability/log.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import type { AppServices, HttpPayments } from '../app-services.ts';
import { orderSignature } from '../order-access.ts';
import { pageRoutes } from './routes.ts';

const secret = 'a secret of at least 32 characters';
const { id } = fakeOrder();

function pages(
  engine: Partial<BookingEngine> = {},
  {
    payments,
    ...settings
  }: Partial<AppServices['settings']> & { readonly payments?: Pick<HttpPayments, 'lookUp'> } = {},
) {
  const services = {
    engine: fakeEngine(engine),
    clock: { now: () => fakeNow, sleep: async () => {} },
    random: { bytes: (count: number) => new Uint8Array(count), fraction: () => 0 },
    log: silentLog,
    settings: { instanceId: 'a', secret, currency: 'USD', ...settings },
    payments,
  };
  return pageRoutes(services as unknown as AppServices, (name) => `/assets/${name}`);
}

const form = (fields: Record<string, string>, headers = {}) => ({
  method: 'POST',
  body: new URLSearchParams(fields),
  headers,
});
const purchase = { packageId: '1', email: 'Ana@Example.com', key: 'k1' };

/** The `Cookie` header that a browser sends after an answer. */
const cookieOf = (answer: Response) => ({
  cookie: answer.headers.get('set-cookie')?.split(';')[0] ?? '',
});
const proof = orderSignature(secret, id);

test('/ redirects to the order page', async () => {
  const answer = await pages().request('/');
  expect([answer.status, answer.headers.get('location')]).toEqual([302, '/order']);
});

test('unlisted and archived packages are on no page and in no polled fragment', async () => {
  const packages = [
    fakeSnapshot(),
    fakeSnapshot({ id: 2, listed: false }),
    fakeSnapshot({ id: 3, archived: true }),
  ];
  const app = pages(fakePackages(packages));
  for (const path of ['/order', '/order-queue', '/order/fragments']) {
    const html = await (await app.request(path)).text();
    expect(
      [1, 2, 3].filter((id) => html.includes(`id="stay-${id}"`)),
      path,
    ).toEqual([1]);
  }
});

describe('a purchase', () => {
  test('waits ten seconds for its outcome and redirects to the order, without an email in the URL', async () => {
    const asked: [PurchaseRequest, Settling][] = [];
    let bought: PurchaseRequest | undefined;
    const app = pages({
      purchase: async (request) => {
        bought = request;
        return { kind: 'accepted', order: fakeOrder() };
      },
      outcome: async (order, settling) => {
        asked.push([bought as PurchaseRequest, settling]);
        return { ...order, status: 'held' };
      },
    });
    const answer = await app.request('/order', form(purchase));
    expect([answer.status, answer.headers.get('location')]).toEqual([303, `/orders/${id}?proof=${proof}`]);
    expect(asked).toMatchObject([
      [{ packageId: 1, email: 'ana@example.com', key: 'k1' }, { waitMs: 1_000 }],
      [{ packageId: 1, email: 'ana@example.com', key: 'k1' }, { waitMs: 9_000 }],
    ]);
  });

  test.each([
    [{ 'accept-language': 'de' }, 'de'],
    [{ 'accept-language': 'de', cookie: 'language=en' }, undefined],
    [{ cookie: 'language=de' }, 'de'],
    [{}, undefined],
  ])('with %j gives the order the language %s', async (headers, language) => {
    let bought: PurchaseRequest | undefined;
    const app = pages({
      purchase: async (request) => {
        bought = request;
        return { kind: 'accepted', order: fakeOrder() };
      },
    });
    const answer = await app.request('/order-queue', form(purchase, headers));
    expect(answer.headers.has('content-language')).toBe(false);
    expect(bought?.packageId).toBe(1);
    expect(bought?.language).toBe(language);
  });

  test('that is queued redirects to its position after a second', async () => {
    const waited: number[] = [];
    const app = pages({
      outcome: async (order, { waitMs }) => {
        waited.push(waitMs);
        return order;
      },
    });
    const answer = await app.request('/order', form(purchase));
    expect([answer.status, waited]).toEqual([303, [1_000]]);
    const page = await app.request(answer.headers.get('location') ?? '', { headers: cookieOf(answer) });
    const shown = await app.request(page.headers.get('location') ?? '', { headers: cookieOf(answer) });
    const text = await shown.text();
    expect(text).toContain('Your position in the queue');
    expect(text).toMatch(/id="place"[^>]*>3</);
    expect(text).toMatch(/<noscript><meta http-equiv="refresh" content="2">/);
  });

  test('on /order-queue is answered at once', async () => {
    const outcome = async () => {
      throw new Error('must not wait');
    };
    const answer = await pages({ outcome }).request('/order-queue', form(purchase));
    expect(answer.status).toBe(303);
    expect(answer.headers.get('location')).toBe(`/orders/${id}?from=queue&proof=${proof}`);
  });

  test('of a browser that sent our cookie redirects to a URL without a signature', async () => {
    const link = await pages().request(`/orders/${id}?proof=${proof}`);
    const app = pages({ orders: async () => [fakeOrder({ packageId: 2 })] });
    const answer = await app.request('/order-queue', form(purchase, cookieOf(link)));
    expect(answer.headers.get('location')).toBe(`/orders/${id}?from=queue`);
  });

  test('that is refused temporarily shows the form with its key and input', async () => {
    const app = pages({ purchase: async () => ({ kind: 'refused', code: 'overloaded' }) });
    const answer = await app.request('/order', form(purchase));
    const text = await answer.text();
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
    expect(text).toContain('name="key" value="k1"');
    expect(text).toContain('value="Ana@Example.com"');
    expect(text).toMatch(/<input[^>]* value="1"[^>]* checked/);
  });

  test('that is refused for good shows the form with a new key', async () => {
    const app = pages({ purchase: async () => ({ kind: 'refused', code: 'order_limit' }) });
    const answer = await app.request('/order', form(purchase));
    expect(answer.status).toBe(409);
    expect(await answer.text()).not.toContain('value="k1"');
  });

  test.each([
    ['no fields', {}, 422],
    ['a package that is none', { ...purchase, packageId: '__proto__' }, 422],
    ['an absurd key', { ...purchase, key: 'x'.repeat(300) }, 422],
    ['a huge email', { ...purchase, email: 'x'.repeat(20_000) }, 413],
  ])('with %s gets a page with the error', async (_what, fields, status) => {
    const answer = await pages().request('/order', form(fields));
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toContain('text/html');
    expect(await answer.text()).toContain('role="alert"');
  });

  test.each([
    ['ana', 'Enter an email address, for example ana@example.com.'],
    ['', 'Enter an email address, for example ana@example.com.'],
    [`${'a'.repeat(260)}@example.com`, 'Enter an email address with at most 254 characters.'],
    [`${'a'.repeat(65)}@example.com`, 'at most 64 characters before the @.'],
    [`ana@${'b'.repeat(64)}.example`, 'at most 63 characters between two dots.'],
  ])('with the email %j says what is wrong with it', async (email, words) => {
    const answer = await pages().request('/order', form({ ...purchase, email }));
    expect(answer.status).toBe(422);
    const text = await answer.text();
    expect(text).toContain(`<p class="field-error" id="email-note">`);
    expect(text).toContain(words);
    expect(text).toMatch(/<input id="email"[^>]* aria-invalid="true"/);
  });

  test('has the ASCII form of an internationalised domain, which finds the order too', async () => {
    const bought: string[] = [];
    const order = fakeOrder({ email: 'ana@xn--bcher-kva.example' });
    const app = pages({
      purchase: async ({ email }) => {
        bought.push(email);
        return { kind: 'accepted', order };
      },
      order: async () => order,
    });
    const email = 'Ana@Bücher.example';
    expect((await app.request('/order', form({ ...purchase, email }))).status).toBe(303);
    expect(bought).toEqual([order.email]);
    expect((await app.request('/query', form({ id, email }))).status).toBe(303);
  });

  test('from another site is refused', async () => {
    const answer = await pages().request('/order', form(purchase, { origin: 'https://evil.example' }));
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('did not come from our own pages');
  });
});

test('GET /order answers 503 with Retry-After while the store is unavailable', async () => {
  const app = pages({
    packages: async () => {
      throw new StoreUnavailableError('gone');
    },
  });
  const answer = await app.request('/order');
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
});

test('the polled fragments equal the fragments in the page', async () => {
  const app = pages(fakePackages([fakeSnapshot(), fakeSnapshot({ id: 2 })]));
  const page = await (await app.request('/order')).text();
  const fragments = await (await app.request('/order/fragments')).text();
  expect(fragments).toMatch(/^<span id="stay-1".*<span id="stay-2".*<\/span>$/s);
  expect(page).toContain(fragments.slice(0, fragments.indexOf('<span id="stay-2"')));
});

test('the page of a queued order and its polled fragment show the estimated wait', async () => {
  const known = pages({ estimatedWait: () => ({ minSeconds: 60, maxSeconds: 180 }) });
  for (const path of [`/orders/${id}`, `/orders/${id}/fragment`]) {
    const address = `${path}?proof=${proof}&cookie=set`;
    expect(await (await known.request(address)).text()).toContain('Estimated wait: <b>about 1 to 3 minutes<');
    expect(await (await pages().request(address)).text()).toContain('Estimated wait: <b>not known yet<');
  }
});

test('Q10 an order’s fragment needs its signature', async () => {
  const address = `/orders/${id}/fragment?proof=`;
  expect((await pages().request(`${address}${orderSignature(secret, id)}`)).status).toBe(200);
  expect((await pages().request(`${address}nonsense`)).status).toBe(404);
});

test.each([
  'queued',
  'held',
  'confirmed',
  'compensating',
  'failed',
  'rejected',
  'withdrawn',
  'cancelling',
  'cancelled',
] as const)(
  'a private link to an order that is %s sets the cookie and redirects to its page',
  async (status) => {
    const app = pages({ order: async () => fakeOrder({ status }) });
    const link = await app.request(`/orders/${id}?proof=${proof}`);
    const answer = await app.request(`/orders/${id}`, { headers: cookieOf(link) });
    expect(answer.status).toBe(200);
    expect(await answer.text()).toContain(id);
  },
);

test('a private link sets the cookie and redirects to the URL without the signature', async () => {
  const first = await pages().request(`/orders/${id}?proof=${proof}&from=queue`);
  expect(first.headers.get('set-cookie')).toMatch(/HttpOnly.*SameSite=Lax/);
  const second = await pages().request(first.headers.get('location') ?? '', { headers: cookieOf(first) });
  expect([second.status, second.headers.get('location')]).toEqual([303, `/orders/${id}?from=queue`]);
});

test('Q10 a browser without cookies sees and cancels an order by its signature, and no other browser can', async () => {
  const app = pages({ order: async () => fakeOrder({ status: 'confirmed' }) });
  const first = await app.request(`/orders/${id}?proof=${proof}`);
  const shown = await app.request(first.headers.get('location') ?? '');
  expect(shown.status).toBe(200);
  const [, action = ''] = /<form id="cancel" method="post" action="([^"]*)"/.exec(await shown.text()) ?? [];
  const cancelled = await app.request(action, { method: 'POST' });
  expect(cancelled.headers.get('location')).toBe(`/orders/${id}?proof=${proof}&cookie=set`);
  for (const query of ['', '?cookie=set', '?proof=wrong&cookie=set', `?proof=${proof}x`]) {
    expect((await app.request(`/orders/${id}${query}`)).status).toBe(404);
    expect((await app.request(`/orders/${id}/cancel${query}`, { method: 'POST' })).status).toBe(404);
  }
});

test.each(['', '?from=queue'])(
  'an order that was made at %j is cancelled and shown at the same URL',
  async (query) => {
    const app = pages({ order: async () => fakeOrder({ status: 'confirmed' }) });
    const headers = cookieOf(await app.request(`/orders/${id}?proof=${proof}`));
    const shown = await app.request(`/orders/${id}${query}`, { headers });
    const [, action = ''] = /<form id="cancel" method="post" action="([^"]*)"/.exec(await shown.text()) ?? [];
    const cancelled = await app.request(action, { method: 'POST', headers });
    expect(cancelled.headers.get('location')).toBe(`/orders/${id}${query}`);
  },
);

describe('the calendar file of a confirmed order', () => {
  const booked = {
    status: 'confirmed',
    flight: { ticketNumber: 'F1' },
    hotel: { reservationNumber: 'H1' },
  } as const;
  const app = pages({ order: async () => fakeOrder(booked) });
  const address = `/orders/${id}/calendar.ics`;

  test('Q10 is sent to a browser with the order’s cookie or its signature, and to no other', async () => {
    const headers = cookieOf(await app.request(`/orders/${id}?proof=${proof}`));
    const answers = [await app.request(address, { headers }), await app.request(`${address}?proof=${proof}`)];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('text/calendar; charset=utf-8');
      expect(answer.headers.get('content-disposition')).toBe('attachment; filename="trip-2022-08-09.ics"');
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.text()).toMatch(/^BEGIN:VCALENDAR\r\n[\s\S]*F1[\s\S]*H1[\s\S]*END:VCALENDAR\r\n$/);
    }
    for (const query of ['', '?proof=wrong', `?proof=${proof}x`, '?email=ana%40example.com'])
      expect((await app.request(address + query)).status, query).toBe(404);
  });

  test('is linked on its page, with the signature if the browser takes no cookies', async () => {
    const headers = cookieOf(await app.request(`/orders/${id}?proof=${proof}`));
    const shown = await (await app.request(`/orders/${id}`, { headers })).text();
    const formOf = (html: string) =>
      /<form id="calendar" .*?<\/form>/s.exec(html)?.[0].replaceAll(/\n\s*/g, '');
    const form = `<form id="calendar" action="${address}"><input type="hidden" name="lang" value="en">`;
    expect(formOf(shown)).toBe(`${form}</form>`);
    expect(shown).toContain('form="calendar">Add to calendar</button>');
    const without = await (await app.request(`/orders/${id}?proof=${proof}&cookie=set`)).text();
    const field = `<input type="hidden" name="proof" value="${proof}">`;
    expect(formOf(without)).toBe(`${form}${field}</form>`);
  });

  test.each(orderStatuses.filter((status) => status !== 'confirmed'))(
    'does not exist while the order is %s: its page has no button, and its address leads to the page',
    async (status) => {
      const other = pages({ order: async () => fakeOrder({ ...booked, status }) });
      const page = `/orders/${id}?proof=${proof}&cookie=set`;
      expect(await (await other.request(page)).text()).not.toContain('form="calendar"');
      const answer = await other.request(`${address}?proof=${proof}`);
      expect([answer.status, answer.headers.get('location')]).toEqual([303, page]);
    },
  );
});

test('pages are not cached, and their policy forbids inline scripts', async () => {
  const answer = await pages().request('/order');
  expect(answer.headers.get('cache-control')).toBe('no-store');
  expect(answer.headers.get('content-security-policy')).not.toContain('unsafe');
  expect(await answer.text()).not.toMatch(/ style=| on[a-z]+=|<script(?![^>]* src=)/);
});

describe('of more than 100 packages', () => {
  const many = Array.from({ length: 250 }, (_, index) =>
    fakeSnapshot({ id: index + 1, flight: `Flight-${index + 1}`, stay: `2030-01-0${1 + (index % 2)}` }),
  );
  const read = async (path: string) => (await pages(fakePackages(many)).request(path)).text();
  const shown = (html: string) => [...html.matchAll(/ id="stay-(\d+)" /g)].map(([, found]) => Number(found));

  test('the order page shows a hundred, with a search and links to the other pages', async () => {
    const first = await read('/order');
    expect([shown(first).length, shown(first)[0]]).toEqual([100, 1]);
    expect(first).toContain('1–100 of 250 trips');
    expect(first).toContain('href="/order?page=2"');
    expect(first).not.toContain('rel="prev"');
    const last = await read('/order-queue?page=3');
    expect(shown(last)).toEqual(Array.from({ length: 50 }, (_, index) => 201 + index));
    expect(last).toContain('href="/order-queue?page=2"');
    expect(last).not.toContain('rel="next"');
    expect(shown(await read('/order?page=99'))).toEqual(shown(last));
  });

  test('the page is live for the packages that it shows, and for no others', async () => {
    const html = await read('/order?page=3');
    const ids = Array.from({ length: 50 }, (_, index) => 201 + index).join('.');
    expect(html).toContain(
      `hx-ws:connect="/live?topic=packages:${ids}" data-poll="/order/fragments?ids=${ids}"`,
    );
    expect(shown(await read('/order/fragments?ids=201.7.999'))).toEqual([201, 7]);
    expect(shown(await read('/order/fragments'))).toHaveLength(100);
  });

  test('a search keeps what was typed, says how many were found, and offers all again', async () => {
    const html = await read('/order?flight=%20LIGHT-2&night=2030-01-02');
    expect(shown(html).slice(0, 3)).toEqual([2, 20, 22]);
    expect(html).toContain('value="LIGHT-2"');
    expect(html).toContain('name="night" type="date" value="2030-01-02"');
    expect(html).toContain('32 trips found');
    expect(html).toContain('<a class="search-clear" href="/order">Show all trips</a>');
    expect(html).toContain('href="/order-queue?flight=LIGHT-2&amp;night=2030-01-02"');
    const none = await read('/order?flight=%3Cb%3E');
    expect(none).toContain('No trip matches.');
    expect(none).toContain('value="&lt;b&gt;"');
    expect(none).not.toContain('hx-ws:connect');
  });

  test('the page with the chosen package is shown, also after a failed purchase', async () => {
    expect(await read('/order?package=222')).toMatch(/value="222"[^>]* checked/);
    const app = pages({
      ...fakePackages(many),
      purchase: async () => ({ kind: 'refused', code: 'sold_out' }),
    });
    const sent = { ...purchase, packageId: '150', flight: 'flight-1', page: '1' };
    const html = await (await app.request('/order', form(sent))).text();
    expect(shown(html)).toContain(150);
    expect(html).toContain('name="flight" type="search" value="flight-1"');
  });

  test.each(['page=0', 'page=x', 'night=soon', 'flight=', 'flight=%20', 'page=1e3'])(
    'the order page ignores %s',
    async (query) => {
      expect(shown(await read(`/order?${query}`))[0]).toBe(1);
    },
  );
});

test('a page with all packages has neither a search nor links to other pages', async () => {
  const packages = Array.from({ length: 100 }, (_, index) => fakeSnapshot({ id: index + 1 }));
  const html = await (await pages(fakePackages(packages)).request('/order')).text();
  expect(html).not.toContain('search');
  expect(html).not.toContain('class="pages"');
  expect(html).toContain('hx-ws:connect="/live?topic=packages" data-poll="/order/fragments"');
});

describe('while payments are on', () => {
  test('the order page says when its customer pays', async () => {
    const lookUp = async () => ({ kind: 'accepted', order: fakeOrder() }) as const;
    const textOf = async (app: ReturnType<typeof pages>) => (await app.request('/order')).text();
    expect(await textOf(pages({}, { payments: { lookUp } }))).toContain(
      'you pay only once your trip is reserved',
    );
    expect(await textOf(pages())).toContain('no payment is taken');
  });

  test.each(['payable', 'confirmed'] as const)(
    'a buyer who comes back from the provider to a %s order has the payment looked up if it is due',
    async (status) => {
      const order = fakeOrder({ status });
      const lookUp = vi.fn(async () => Promise.reject(new Error('no answer')));
      const app = pages({ order: async () => order }, { payments: { lookUp } });
      const answer = await app.request(`/orders/${id}?proof=${orderSignature(secret, id)}`);
      expect(answer.status).toBe(303);
      expect(lookUp.mock.calls).toEqual(status === 'payable' ? [[order]] : []);
      const wrong = await app.request(`/orders/${id}?proof=wrong`);
      expect(wrong.status).toBe(404);
      expect((await app.request(`/orders/${id}`, { headers: cookieOf(answer) })).status).toBe(200);
      expect(lookUp.mock.calls).toHaveLength(status === 'payable' ? 1 : 0);
    },
  );
});

test('the price of an order that has to be paid is in the currency of its payment', async () => {
  const payment = { amount: 10_000, currency: 'JPY' };
  const priceAt = async (order: Order) => {
    const app = pages({ order: async () => order });
    return (await app.request(`/orders/${id}?proof=${proof}&cookie=set`)).text();
  };
  expect(await priceAt(fakeOrder({ status: 'confirmed', payment }))).toContain('¥100</span>');
  expect(await priceAt(fakeOrder({ status: 'confirmed' }))).not.toContain('¥100');
});

test.each([false, true])('the pages say whether mails are sent: %s', async (sendsMails) => {
  const found = pages({ order: async () => fakeOrder() }, { sendsMails });
  const order = await (await found.request('/order')).text();
  expect(order.includes('No email is sent')).toBe(!sendsMails);
  expect(order.includes('You get a mail about its outcome')).toBe(sendsMails);
  const result = await (await found.request(`/orders/${id}?proof=${proof}&cookie=set`)).text();
  expect(result.includes('we do not send them to you')).toBe(!sendsMails);
  expect(result.includes('the mail about its outcome has the number and a link')).toBe(sendsMails);
});
