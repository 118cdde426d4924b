import { expect, it, vi } from 'vitest';
import { fakeApp } from '../../../test/support/fake-app.ts';
import { fakeOrder } from '../../../test/support/fake-engine.ts';
import type { BookingEngine } from '../../engine/engine.ts';

const { id, email } = fakeOrder();
const others = '0000-0000-0000-0001';

function app() {
  const order = vi.fn<BookingEngine['order']>(async (asked) => (asked === id ? fakeOrder() : undefined));
  const cancel = vi.fn<BookingEngine['cancel']>();
  return { pages: fakeApp({ engine: { order, cancel } }), order, cancel };
}

/** Returns an answer's text without the input that the page repeats. */
async function shown(answer: Response, ...entered: string[]): Promise<string> {
  const body = await answer.text();
  const page = entered.reduce((text, word) => text.replaceAll(`value="${word}"`, 'value=""'), body);
  return JSON.stringify([answer.status, [...answer.headers], page]);
}

const post = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) });

it('Q10 /query gives the same answer to every failed look-up, after one read of the store', async () => {
  const { pages, order } = app();
  const misses = [];
  for (const [asked, by] of [
    [id, 'eve@example.com'],
    [others, email],
    ['nonsense', email],
    [id, ''],
    [id, '-'],
    [id, 'no email'],
    ['', ''],
  ] as const) {
    misses.push(await shown(await pages.request('/query', post({ id: asked, email: by })), asked, by));
  }
  expect(misses[0]).toContain('[404,');
  expect(new Set(misses).size).toBe(1);
  expect(order).toHaveBeenCalledTimes(misses.length);
  // A missing field counts as an empty field.
  await pages.request('/query', post({}));
  expect(order).toHaveBeenCalledTimes(misses.length + 1);
});

it.each([
  ['GET', `/orders/ID`],
  ['GET', `/orders/ID/fragment`],
  ['GET', `/orders/ID/calendar.ics`],
  ['POST', `/orders/ID/cancel`],
])(
  'Q10 %s %s reads nothing for callers without the signature, and gives all of them the same answer',
  async (method, path) => {
    const { pages, order, cancel } = app();
    const misses = [];
    const inGerman = [];
    for (const [asked, query] of [
      [id, ''],
      [others, ''],
      ['nonsense', ''],
      [id, '?proof='],
      [id, '?proof=wrong'],
      [others, '?proof=wrong'],
      [id, `?email=${email}`],
    ] as const) {
      const init = method === 'POST' ? post({}) : {};
      const address = path.replace('ID', asked) + (query || '?');
      misses.push(await shown(await pages.request(address, init)));
      inGerman.push(await shown(await pages.request(`${address}&lang=de`, init)));
    }
    expect(misses[0]).toContain('[404,');
    expect(new Set(misses).size).toBe(1);
    expect(inGerman[0]).toContain('[404,');
    expect(new Set(inGerman).size).toBe(1);
    expect(order).not.toHaveBeenCalled();
    expect(cancel).not.toHaveBeenCalled();
  },
);

it('Q10 POST /api/orders/:id/cancel gives the same answer to every failed look-up, after one read of the store', async () => {
  const { pages, order, cancel } = app();
  const misses = [];
  for (const [asked, by] of [
    [id, 'eve@example.com'],
    [others, email],
    ['nonsense', email],
  ] as const) {
    const headers = { 'Content-Type': 'application/json' };
    const init = { method: 'POST', headers, body: JSON.stringify({ email: by }) };
    misses.push(await shown(await pages.request(`/api/orders/${asked}/cancel`, init)));
  }
  expect(misses[0]).toContain('[404,');
  expect(new Set(misses).size).toBe(1);
  expect(order).toHaveBeenCalledTimes(misses.length);
  expect(cancel).not.toHaveBeenCalled();
});
