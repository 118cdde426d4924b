import type { Hono } from 'hono';
import { expect, test } from 'vitest';
import { fakeApp } from '../../../../test/support/fake-app.ts';
import {
  fakeEngine,
  fakeNow,
  fakeOrder,
  fakePackages,
  fakeSnapshot,
} from '../../../../test/support/fake-engine.ts';
import { type ErrorCode, errorCatalogue } from '../../../domain/errors.ts';
import {
  type Order,
  type OrderReason,
  type OrderStatus,
  timelineEvents,
  unpaidReasons,
} from '../../../domain/order.ts';
import type { Inventory, PackageSnapshot } from '../../../domain/travel-package.ts';
import type { BookingEngine } from '../../../engine/engine.ts';
import { silentLog } from '../../../observability/log.ts';
import { StoreUnavailableError } from '../../../storage/store.ts';
import type { AppServices } from '../../app-services.ts';
import { orderSignature } from '../../order-access.ts';
import { pageRoutes } from '../routes.ts';
import { textsOf } from './index.ts';
import type { Language } from './languages.ts';

/* Every page in every state, in English and in German. */

const { id } = fakeOrder();
const secret = 'a secret of at least 32 characters';
const proof = orderSignature(secret, id);
const address = `/orders/${id}?proof=${proof}&cookie=set`;
const purchase = { packageId: '1', email: 'ana@example.com', key: 'k1' };

type Engine = Partial<BookingEngine>;

/** The customers' pages over an engine. */
function pages(engine: Engine = {}, settings: Partial<AppServices['settings']> = {}): Hono {
  const services = {
    engine: fakeEngine(engine),
    clock: { now: () => fakeNow, sleep: async () => {} },
    random: { bytes: (count: number) => new Uint8Array(count), fraction: () => 0 },
    log: silentLog,
    settings: { instanceId: 'a', secret, currency: 'USD', ...settings },
  };
  return pageRoutes(services as unknown as AppServices, (name) => `/assets/${name}`);
}

/** A browser that keeps no script and that prefers one language. */
class Visitor {
  readonly #language: Language;
  readonly #cookies = new Map<string, string>();

  constructor(language: Language) {
    this.#language = language;
  }

  /** Returns the page at an address, after redirects. `form` is sent with POST. */
  async visit(app: Hono, path: string, form?: Record<string, string>): Promise<string> {
    const headers = {
      accept: 'text/html',
      'accept-language': this.#language,
      cookie: [...this.#cookies].map((cookie) => cookie.join('=')).join('; '),
    };
    const body = form && { method: 'POST', body: new URLSearchParams(form) };
    const answer = await app.request(path, { headers, ...body });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      this.#cookies.set(name, value);
    }
    const location = answer.headers.get('location');
    return location === null ? answer.text() : this.visit(app, location);
  }
}

type Scene = (visitor: Visitor) => Promise<string>;

const scenes = new Map<string, Scene>();

/** Adds a scene of one visit, which needs no cookies. */
function add(name: string, engine: Engine, path: string, form?: Record<string, string>): void {
  const app = pages(engine);
  scenes.set(name, (visitor) => visitor.visit(app, path, form));
}

function snapshot(
  inventory: Partial<Inventory>,
  sale: Partial<PackageSnapshot['package']> = {},
): PackageSnapshot {
  const whole = fakeSnapshot({ quota: 4, ...sale });
  return { ...whole, inventory: { ...whole.inventory, ...inventory } };
}

const sales: Readonly<Record<string, PackageSnapshot>> = {
  free: snapshot({ remaining: 4 }),
  'one left': snapshot({ remaining: 1, held: 1, confirmed: 2 }),
  'none free': snapshot({ remaining: 0, held: 4 }),
  queue: snapshot({ remaining: 0, held: 4, waiting: 12_345 }),
  'sold out': snapshot({ remaining: 0, confirmed: 4 }),
  'not open': snapshot({ remaining: 4 }, { opensAt: fakeNow + 60_000 }),
  closed: snapshot({ remaining: 4 }, { closesAt: fakeNow }),
  paused: snapshot({ remaining: 4 }, { paused: true }),
};
for (const [name, sale] of Object.entries(sales)) {
  add(`order, ${name}`, fakePackages([sale]), '/order-queue?package=1');
}
const all = fakePackages(
  Object.values(sales).map((sale, index) => ({ ...sale, package: { ...sale.package, id: index + 1 } })),
);
add('order, all', all, '/order?package=1');
const many = fakePackages(Array.from({ length: 250 }, (_, index) => fakeSnapshot({ id: index + 1 })));
add('order, pages', many, '/order?page=2');
add('order, search', many, '/order?flight=Flight-1');
add('order, found none', many, '/order?flight=nothing');

for (const code of Object.keys(errorCatalogue) as ErrorCode[]) {
  add(`refused: ${code}`, { ...all, purchase: async () => ({ kind: 'refused', code }) as never }, '/order', {
    ...purchase,
    packageId: '2',
  });
}
add('order, no email', all, '/order', { ...purchase, email: 'ana' });
add('order, a long email', all, '/order', { ...purchase, email: `${'a'.repeat(260)}@example.com` });
add('order, a long name in the email', all, '/order', {
  ...purchase,
  email: `${'a'.repeat(65)}@example.com`,
});
add('order, a long domain', all, '/order', { ...purchase, email: `ana@${'b'.repeat(64)}.example` });
add('order, no trip', all, '/order', { email: 'ana@example.com' });
add('a problem', { packages: () => Promise.reject(new StoreUnavailableError('gone')) }, '/order');
add('another problem', { packages: () => Promise.reject(new Error('a bug')) }, '/order');
scenes.set('unknown address', (visitor) => visitor.visit(fakeApp(), '/nothing-here'));
add('wrong method', {}, `/orders/${id}/cancel`);

const mailing = pages({ ...all, order: async () => fakeOrder() }, { sendsMails: true });
scenes.set('order, with mails', (visitor) => visitor.visit(mailing, '/order'));
scenes.set('result, with mails', (visitor) => visitor.visit(mailing, address));

const reasons: readonly (OrderReason | undefined)[] = [
  ...(['flight_unavailable', 'hotel_unavailable', 'invalid_ticket', 'supplier_silent', 'sold_out'] as const),
  ...unpaidReasons,
  undefined,
];
const timeline = timelineEvents.map((event) => ({ at: fakeNow, event }));
const flight = { ticketNumber: 'F1' };
const hotel = { reservationNumber: 'H1' };

function addOrder(name: string, order: Partial<Order>, engine: Engine = {}, path = address): void {
  add(name, { order: async () => fakeOrder({ timeline, ...order }), ...engine }, path);
}
for (const status of ['held', 'confirmed', 'cancelling', 'rejected'] satisfies OrderStatus[]) {
  addOrder(status, { status });
}
const payment = { amount: 12_050, currency: 'USD', url: 'https://pay.example/1', payBy: fakeNow + 300_000 };
addOrder('payable', { status: 'payable', flight, hotel, payment });
addOrder('payable, over', { status: 'payable', payment: { ...payment, payBy: fakeNow } });
addOrder('payable for days', { status: 'payable', payment: { ...payment, payBy: fakeNow + 3e8 } });
addOrder('payable, asked', { status: 'payable', payment }, {}, `${address}&ask=yes`);
addOrder('confirmed, paid', { status: 'confirmed', flight, hotel, payment });
addOrder('cancelled, refunded', { status: 'cancelled', payment });
addOrder('held, to be paid', { status: 'held', flight, payment });
addOrder('the provider is silent', {
  ...{ status: 'failed', reason: 'supplier_silent', payment },
  timeline: [{ at: fakeNow, event: 'payment unknown' }],
});
addOrder('held, with its seat', { status: 'held', flight });
addOrder('confirmed, with its numbers', { status: 'confirmed', flight, hotel });
addOrder('confirmed, asked', { status: 'confirmed' }, {}, `${address}&ask=yes`);
addOrder('queued, asked', {}, {}, `${address}&ask=yes`);
for (const held of [0, 1, 3]) {
  for (const position of [undefined, 1, 2, 12_345]) {
    const packages = fakePackages([snapshot({ remaining: 0, held })]);
    addOrder(`queued at ${position}, ${held} held`, {}, { ...packages, queuePosition: () => position });
  }
}
for (const [minSeconds, maxSeconds] of [
  [0, 1],
  [20, 45],
  [45, 120],
  [2_700, 3_600],
] as const) {
  addOrder(
    `queued for ${minSeconds} to ${maxSeconds} seconds`,
    {},
    { queuePosition: () => 7, estimatedWait: () => ({ minSeconds, maxSeconds }) },
  );
}
for (const status of ['compensating', 'failed', 'withdrawn', 'cancelled'] satisfies OrderStatus[]) {
  for (const reason of reasons) {
    addOrder(`${status}: ${reason}`, { status, flight, ...(reason === undefined ? {} : { reason }) });
  }
  for (const sale of ['sold out', 'paused'] as const) {
    addOrder(`${status}, ${sale}`, { status }, fakePackages([sales[sale] as PackageSnapshot]));
  }
}
scenes.set('cancel refused', (visitor) => {
  const order = fakeOrder({ status: 'held' });
  const engine: Engine = {
    order: async () => order,
    cancel: async () => ({ kind: 'refused', code: 'in_progress', order }) as never,
  };
  return visitor.visit(pages(engine), `/orders/${id}/cancel?proof=${proof}`, {});
});
add('an order of somebody else', {}, '/orders/0000-0000-0000-0001');
add('no recent orders', {}, '/query');
add('a miss', { order: async () => undefined }, '/query', { id: 'x', email: 'ana@example.com' });
scenes.set('recent orders, and how to find one', async (visitor) => {
  const app = pages();
  const shown = await visitor.visit(app, `/orders/${id}?proof=${proof}`);
  return shown + (await visitor.visit(app, '/query'));
});
for (const status of ['queued', 'confirmed'] satisfies OrderStatus[]) {
  scenes.set(`another, ${status}`, async (visitor) => {
    const order = fakeOrder({ status });
    const app = pages({ order: async () => order, orders: async () => [order] });
    await visitor.visit(app, `/orders/${id}?proof=${proof}`);
    return visitor.visit(app, '/order', purchase);
  });
}
scenes.set('looking for a lost order', async (visitor) => {
  await visitor.visit(pages(), '/order');
  const app = pages({ ordersByKey: () => Promise.reject(new StoreUnavailableError('gone')) });
  return visitor.visit(app, '/order');
});
scenes.set('no lost order', async (visitor) => {
  await visitor.visit(pages(), '/order');
  return visitor.visit(pages(), '/order');
});

/** The texts of a page: what stands between its tags and in attributes for readers. */
function textsOfPage(html: string): string[] {
  const attributes = html.matchAll(
    /\s(?:aria-label|alt|placeholder|title|data-(?:busy|title|outcome|open-words|choice|night))="([^"]*)"/g,
  );
  const texts = [...html.split(/<[^>]*>/), ...[...attributes].map(([, text = '']) => text)];
  return texts.map((text) => text.trim()).filter((text) => /\p{L}/u.test(text));
}

/** Names, numbers and times, which are the same in each language, and words that are. */
const data =
  /^(?:Flight-\d+|Ticket Booking|Hotel|[\d:]+ UTC|[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}|\S+@example\.com|localhost\S*|[FH]1)$/;

/** The sentences of a catalogue by their path in it. */
function sentencesOf(texts: object, path = ''): [string, string][] {
  return Object.entries(texts).flatMap(([name, text]: [string, unknown]) => {
    if (typeof text === 'string') return [[`${path}.${name}`, text] as [string, string]];
    return typeof text === 'object' && text !== null ? sentencesOf(text, `${path}.${name}`) : [];
  });
}

const german = new Map(sentencesOf(textsOf('de')));
const englishSentences = sentencesOf(textsOf('en'))
  .filter(([path, text]) => text.includes(' ') && german.get(path) !== text)
  .map(([, text]) => text);

test.each([...scenes])('in German there is no English text: %s', async (_name, scene) => {
  const [english, translated] = [await scene(new Visitor('en')), await scene(new Visitor('de'))];
  expect(english).toContain('<html lang="en"');
  expect(translated).toContain('<html lang="de"');
  expect(textsOfPage(english).length).toBeGreaterThan(5);
  const inEnglish = new Set(textsOfPage(english));
  expect(textsOfPage(translated).filter((text) => inEnglish.has(text) && !data.test(text))).toEqual([]);
  expect(englishSentences.filter((sentence) => translated.includes(sentence))).toEqual([]);
});

test('the calendar file of a German page has no English text', async () => {
  const app = pages({ order: async () => fakeOrder({ status: 'confirmed', flight, hotel }) });
  const files = await Promise.all(
    (['en', 'de'] as const).map(async (language) => {
      const file = await app.request(`/orders/${id}/calendar.ics?proof=${proof}&lang=${language}`);
      return (await file.text()).replaceAll('\r\n ', '').split('\r\n');
    }),
  );
  const [english = [], translated = []] = files.map((lines) =>
    lines.filter((line) => /^(?:SUMMARY|DESCRIPTION):/.test(line)),
  );
  expect([english.length, translated.length]).toEqual([4, 4]);
  expect(translated.filter((line) => english.includes(line))).toEqual([]);
  expect(englishSentences.filter((sentence) => translated.join('\n').includes(sentence))).toEqual([]);
});

test('the pages in English have the texts of its catalogue', async () => {
  const pages = await Promise.all([...scenes.values()].map((scene) => scene(new Visitor('en'))));
  const text = pages.join().replaceAll('&#39;', "'").replaceAll('&quot;', '"');
  const shown = englishSentences.filter((sentence) => text.includes(sentence));
  expect(englishSentences.length).toBeGreaterThan(100);
  expect(shown.length).toBeGreaterThan(0.6 * englishSentences.length);
});
