import { describe, expect, it, test } from 'vitest';
import { fakeApp } from '../../../test/support/fake-app.ts';
import { fakeOrder, fakePackages, fakeSnapshot } from '../../../test/support/fake-engine.ts';
import { orderSignature } from '../order-access.ts';

const { id } = fakeOrder();
const proof = orderSignature('s'.repeat(32), id);
const app = fakeApp();

const languageOf = (html: string) => /<html lang="([^"]*)"/.exec(html)?.[1];

async function read(path: string, headers: Record<string, string> = {}) {
  const answer = await app.request(path, { headers: { accept: 'text/html', ...headers } });
  const html = await answer.text();
  return { answer, html, language: languageOf(html) };
}

/** The address of the link to a page in another language. */
const linkIn = (html: string) => /<a href="([^"]*)" hreflang="\w+"/.exec(html)?.[1]?.replaceAll('&amp;', '&');

describe('the language of a page', () => {
  test.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['DE', 'de'],
    ['de-AT, en;q=0.5', 'de'],
    ['en-GB, de;q=0.9', 'en'],
    ['fr, de;q=0.8, en;q=0.7', 'de'],
    ['en;q=0.3, de;q=0.31', 'de'],
    ['de;q=0, en;q=0.1', 'en'],
    ['de;q=0', 'en'],
    ['fr', 'en'],
    ['*', 'en'],
    ['fr, *;q=0.5', 'en'],
    ['den', 'en'],
    [`${'fr, '.repeat(200)}de`, 'de'],
    // Longer than any browser's: parsing it would cost more than the page.
    [`${'fr, '.repeat(250)}de`, 'en'],
    [`${'x'.repeat(4_000)};;;,,q="`, 'en'],
  ])('with Accept-Language %s is %s', async (accepted, expected) => {
    const { answer, language } = await read(
      '/order',
      accepted === undefined ? {} : { 'accept-language': accepted },
    );
    expect([language, answer.headers.get('content-language')]).toEqual([expected, expected]);
  });

  it.each(['/order', '/order-queue', '/query', '/orders/none', '/nothing-here'])(
    'at %s depends on Accept-Language, and says so to caches',
    async (path) => {
      const { answer, language } = await read(path, { 'accept-language': 'de' });
      expect(language).toBe('de');
      expect(answer.headers.get('vary')).toBe('Accept-Language, Accept-Encoding');
      expect(answer.headers.get('cache-control')).toBe('no-store');
    },
  );

  it('is English for operators, in the API and in its description', async () => {
    for (const path of ['/admin', '/docs']) {
      expect((await read(path, { 'accept-language': 'de' })).language).toBe('en');
    }
    const problem = await app.request('/api/packages/99', { headers: { 'accept-language': 'de' } });
    expect(await problem.json()).toMatchObject({ title: 'No such package' });
  });
});

describe('a link to another language', () => {
  test.each(['/', '/order', '/order-queue', '/query', `/orders/${id}`, '/nothing-here'])(
    'at %s is remembered without JavaScript',
    async (path) => {
      const { answer } = await read(`${path}?lang=de`, { 'accept-language': 'en' });
      const [cookie = ''] = answer.headers.getSetCookie();
      expect(cookie).toMatch(/^language=de; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/);
      const next = await read('/order', { 'accept-language': 'en', cookie: 'language=de' });
      expect([next.language, next.answer.headers.getSetCookie().join()]).toEqual([
        'de',
        expect.not.stringContaining('language='),
      ]);
    },
  );

  it('leads to the same page', async () => {
    const links = new Map([
      ['/order', '/order?lang=de'],
      ['/order-queue?flight=light&package=1', '/order-queue?flight=light&package=1&lang=de'],
      ['/order?package=x&lang=en', '/order?lang=de'],
      ['/query', '?lang=de'],
      [
        `/orders/${id}?proof=${proof}&cookie=set&from=queue`,
        `/orders/${id}?from=queue&proof=${proof}&cookie=set&lang=de`,
      ],
      ['//evil.example/', '?lang=de'],
    ]);
    for (const [path, link] of links) expect(linkIn((await read(path)).html), path).toBe(link);
    expect(linkIn((await read('/order?lang=de')).html)).toBe('/order?lang=en');
  });

  it('is stronger than the cookie, and the cookie than Accept-Language', async () => {
    const headers = { 'accept-language': 'en', cookie: 'language=de' };
    expect((await read('/order', headers)).language).toBe('de');
    expect((await read('/order?lang=en', headers)).language).toBe('en');
  });

  it.each(['fr', '', '__proto__', '"><script>'])('to %s changes nothing', async (code) => {
    const { answer, language } = await read(`/query?lang=${encodeURIComponent(code)}`, {
      cookie: `language=${encodeURIComponent(code)}`,
    });
    expect([language, answer.headers.getSetCookie()]).toEqual(['en', []]);
  });

  it('in a private link survives its redirects', async () => {
    const answer = await app.request(`/orders/${id}?proof=${proof}&lang=de`);
    expect(answer.status).toBe(303);
    const names = answer.headers.getSetCookie().map((cookie) => cookie.split('=')[0]);
    expect(names.toSorted()).toEqual(['language', 'orders']);
  });

  it('has a cookie for this host alone behind TLS', async () => {
    const secure = fakeApp({ settings: { publicOrigin: 'https://tickets.example' } });
    const answer = await secure.request('/query?lang=de');
    expect(answer.headers.get('set-cookie')).toMatch(/^__Host-language=de;.*; Secure/);
    const next = await secure.request('/query', { headers: { cookie: '__Host-language=de' } });
    expect(languageOf(await next.text())).toBe('de');
  });
});

describe('fragments', () => {
  const german = { 'accept-language': 'de', cookie: 'language=de' };

  it('are in the language of their page, not in the one that was chosen last', async () => {
    const orders = `/orders/${id}/fragment?proof=${proof}`;
    expect((await read('/order/fragments', german)).html).toContain('1 place left');
    expect((await read('/order/fragments?lang=de')).html).toContain('Noch 1 Platz');
    expect((await read(orders, german)).html).toContain('Your position in the queue');
    expect((await read(`${orders}&lang=de`)).html).toContain('Ihre Position in der Warteschlange');
  });

  it('change no cookie', async () => {
    for (const path of ['/order/fragments?lang=de', `/orders/${id}/fragment?proof=${proof}&lang=de`]) {
      const { answer } = await read(path);
      expect([answer.status, answer.headers.getSetCookie()]).toEqual([200, []]);
    }
  });

  it('are asked for in the language of their page', async () => {
    const live = async (path: string, headers: Record<string, string>) =>
      /hx-ws:connect="([^"]*)" data-poll="([^"]*)"/.exec((await read(path, headers)).html)?.slice(1);
    expect(await live('/order', {})).toEqual(['/live?topic=packages', '/order/fragments']);
    expect(await live('/order', german)).toEqual([
      '/live?topic=packages&amp;lang=de',
      '/order/fragments?lang=de',
    ]);
    const path = `/orders/${id}?proof=${proof}&cookie=set`;
    expect(await live(path, german)).toEqual([
      `/live?topic=order:${id}&amp;proof=${proof}&amp;lang=de`,
      `/orders/${id}/fragment?proof=${proof}&amp;lang=de`,
    ]);
  });
});

describe('a calendar file', () => {
  const booked = fakeApp({ engine: { order: async () => fakeOrder({ status: 'confirmed' }) } });
  const address = `/orders/${id}/calendar.ics?proof=${proof}`;
  const german = { 'accept-language': 'de', cookie: 'language=de' };

  it('is asked for in the language of its page', async () => {
    for (const lang of ['en', 'de']) {
      const page = await booked.request(`/orders/${id}?proof=${proof}&cookie=set&lang=${lang}`);
      expect(await page.text()).toMatch(
        new RegExp(`<form id="calendar" [^>]*>\\s*<input type="hidden" name="lang" value="${lang}">`),
      );
    }
  });

  it('is in the language of its page, not in the one that was chosen last, and changes no cookie', async () => {
    for (const [lang, summary] of [
      ['en', 'SUMMARY:Flight: Flight-1'],
      ['de', 'SUMMARY:Flug: Flight-1'],
    ] as const) {
      const headers = lang === 'en' ? german : {};
      const file = await booked.request(`${address}&lang=${lang}`, { headers });
      expect([file.headers.get('content-language'), file.headers.getSetCookie()]).toEqual([lang, []]);
      expect(await file.text()).toContain(summary);
    }
  });

  it('is in the language of the customer if its address names none', async () => {
    expect(await (await booked.request(address, { headers: german })).text()).toContain('SUMMARY:Flug: ');
    expect(await (await booked.request(address)).text()).toContain('SUMMARY:Flight: ');
  });
});

it('a page loads the texts of its scripts in one file with the first of them', async () => {
  for (const lang of ['en', 'de']) {
    const { html } = await read(`/order?lang=${lang}`);
    const [, address = ''] = /<script defer src="([^"]+)/.exec(html) ?? [];
    expect(address).toContain(`/page.${lang}.js?`);
    const asset = await app.request(address);
    expect(asset.headers.get('cache-control')).toContain('immutable');
    const script = await asset.text();
    expect(script).toMatch(/^window\.ticketTexts = [\s\S]*window\.ticketPage = /);
    expect(script).toContain(lang === 'de' ? '"Kopiert"' : '"Copied"');
  }
});

it('a purchase is answered in the language of its customer', async () => {
  const sold = fakeApp({
    engine: {
      ...fakePackages([fakeSnapshot()]),
      purchase: async () => ({ kind: 'refused', code: 'sold_out' }),
    },
  });
  const body = new URLSearchParams({ packageId: '1', email: 'ana@example.com', key: 'k1' });
  const answer = await sold.request('/order', { method: 'POST', body, headers: { cookie: 'language=de' } });
  expect(await answer.text()).toContain('Diese Reise ist ausverkauft. Ihnen wurde nichts berechnet.');
});
