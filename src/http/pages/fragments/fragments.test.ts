import { describe, expect, test } from 'vitest';
import { fakeOrder, fakeSnapshot, fakeNow as now } from '../../../../test/support/fake-engine.ts';
import { type Order, orderStatuses } from '../../../domain/order.ts';
import { textsOf } from '../texts/index.ts';
import { languages } from '../texts/languages.ts';
import { orderFragment } from './order.ts';
import { orderText, queueText, waitText } from './order-text.ts';
import { packageFragment, stayState } from './package.ts';

const texts = textsOf('en');
const view = { currency: 'USD', now, texts };
const live = { inProgress: 1, now };

describe('a package', () => {
  const snapshot = (inventory: object, overrides = {}) => {
    const { package: travelPackage, inventory: untouched } = fakeSnapshot({ quota: 4, ...overrides });
    return { package: travelPackage, inventory: { ...untouched, ...inventory } };
  };
  const mixed = snapshot({ remaining: 1, held: 1, confirmed: 2 });

  test('shows the free, sold and held units as text and as a bar', () => {
    const text = String(packageFragment(mixed, view));
    expect(text).toContain('1 place left');
    expect(text).toContain('2 sold');
    expect(text).toContain('1 being booked');
    expect(text).toContain('<rect class="bar-sold" x="0" width="50%"');
    expect(text).toContain('<rect class="bar-held" x="50%" width="25%"');
    expect(text).toContain('<rect class="bar-free" x="75%" width="25%"');
  });

  test.each([
    [{}, ['4 places left']],
    [{ remaining: 3, held: 1 }, ['3 places left', '1 being booked']],
    [{ remaining: 0, held: 4 }, ['No place free right now', '4 being booked']],
    [{ remaining: 0, held: 4, waiting: 12_345 }, ['Queue · 12,345 waiting', '4 being booked']],
    [{ remaining: 0, confirmed: 4 }, ['Sold out', '4 sold']],
  ])('shows %j once and omits zeros', (figures, said) => {
    const text = String(packageFragment(snapshot(figures), view)).replaceAll(/<[^>]*>/g, '|');
    expect(text.split('|').filter((part) => part.trim() !== '')).toEqual(['$100', ...said]);
  });

  test('contains no focusable element, and no whitespace around it', () => {
    const text = String(packageFragment(mixed, view));
    expect(text).toMatch(/^<span id="stay-1".*<\/span>$/s);
    expect(text).not.toMatch(/<(input|button|a|select|textarea|summary)\b|tabindex|hx-|style=/);
  });

  test('escapes texts of operators', () => {
    const hostile = fakeOrder({ package: { flight: '<script>"', stay: '<b>', price: 1 } });
    expect(String(orderFragment(hostile, live, texts))).not.toMatch(/<script|<b>"|Flight<b>/);
  });

  test.each([
    ['free', {}, {}],
    ['line', { remaining: 0, held: 4 }, {}],
    ['line', { remaining: 1, held: 3, waiting: 1 }, {}],
    ['line', { remaining: 0, confirmed: 4, cancelling: 1 }, {}],
    ['sold_out', { remaining: 0, confirmed: 4 }, {}],
    ['sold_out', { remaining: 0, confirmed: 4 }, { opensAt: now + 1 }],
    ['not_open', {}, { opensAt: now + 1 }],
    ['closed', {}, { closesAt: now }],
    ['paused', {}, { paused: true }],
  ] as const)('that is %s has the right state and text', (state, figures, overrides) => {
    expect(stayState(snapshot(figures, overrides), now)).toBe(state);
  });

  test('whose sale is not open yet also has the state and the words to show when the sale opens', () => {
    const text = String(packageFragment(snapshot({}, { opensAt: now + 1 }), view));
    expect(text).toContain('data-state="not_open" data-open-state="free"');
    expect(text).toContain('data-open-words="4 places left"');
  });
});

describe('an order', () => {
  const shown = (overrides: Partial<Order>, more = {}) =>
    String(orderFragment(fakeOrder(overrides), { ...live, ...more }, texts));

  test('is one element without htmx attributes', () => {
    for (const status of ['queued', 'held', 'confirmed', 'failed', 'compensating', 'withdrawn'] as const) {
      expect(shown({ status })).toMatch(/^<div id="order-live".*<\/div>$/s);
      expect(shown({ status })).not.toMatch(/hx-|style=/);
    }
  });

  test.each([
    ['flight_unavailable', 'The airline had no seat.', 'You have not been charged.'],
    ['hotel_unavailable', 'The hotel had no room.', 'You have not been charged.'],
    ['invalid_ticket', 'The hotel did not accept the flight ticket.', 'You have not been charged.'],
    ['supplier_silent', 'The airline or the hotel did not answer.', 'You have not been charged.'],
  ] as const)('that failed with %s shows the reason and offers to try again', (reason, headline, text) => {
    for (const status of ['failed', 'compensating'] as const) {
      const html = shown({ status, reason });
      expect(html).toContain(`data-outcome="${headline} ${text}`);
      expect(html).toContain(`tabindex="-1">${headline}</h1>`);
      expect(html).toContain('form="again"');
    }
  });

  test.each(['failed', 'compensating', 'withdrawn', 'cancelled'] as const)(
    'that is %s does not offer its trip again when the trip is not on sale',
    (status) => {
      expect(shown({ status }, { offer: 'open' })).toContain('form="again"');
      for (const [offer, words] of [
        ['sold_out', 'This trip has sold out since.'],
        ['off', 'This trip is not on sale right now.'],
      ] as const) {
        const html = shown({ status }, { offer });
        expect(html).not.toContain('form="again"');
        expect(html).toContain(words);
        expect(html).toContain('href="/order" id="other-trips">See other trips');
      }
    },
  );

  test('that was cancelled does not show its ticket and reservation numbers as valid', () => {
    const html = shown({ status: 'failed', reason: 'hotel_unavailable', flight: { ticketNumber: 'F1' } });
    expect(html).not.toContain('F1');
    expect(html).toContain('Given back');
  });

  test('contains the page’s title and the position in the queue', () => {
    expect(shown({}, { queuePosition: 7 })).toContain(
      'data-place="7" data-title="No. 7 in the queue · Flight-1"',
    );
  });

  test.each([
    [{ queuePosition: 1, inProgress: 1 }, '1 place is being booked. You get it if that booking fails.'],
    [{ queuePosition: 1, inProgress: 3 }, '3 places are being booked. You get the first that comes free.'],
    [{ queuePosition: 2, inProgress: 1 }, '1 person is ahead of you. 1 place is being booked.'],
    [{ queuePosition: 9, inProgress: 2 }, '8 people are ahead of you. 2 places are being booked.'],
    [
      { queuePosition: undefined, inProgress: 1 },
      '1 place is being booked. If a booking fails, its place goes to the next in the queue.',
    ],
    [{ queuePosition: 1, inProgress: 0 }, 'You will move up as soon as a place comes free.'],
    [{ queuePosition: 2, inProgress: 0 }, '1 person is ahead of you.'],
  ])('in the queue shows %j as text', (state, words) => {
    expect(queueText({ ...state, now }, texts)).toBe(words);
  });

  test.each([
    [undefined, 'not known yet'],
    [{ minSeconds: 0, maxSeconds: 10 }, 'up to 10 seconds'],
    [{ minSeconds: 0, maxSeconds: 60 }, 'up to 1 minute'],
    [{ minSeconds: 20, maxSeconds: 45 }, 'about 20 to 45 seconds'],
    [{ minSeconds: 30, maxSeconds: 120 }, 'about 30 seconds to 2 minutes'],
    [{ minSeconds: 60, maxSeconds: 180 }, 'about 1 to 3 minutes'],
    [{ minSeconds: 2_700, maxSeconds: 3_600 }, 'about 45 minutes to 1 hour'],
    [{ minSeconds: 3_600, maxSeconds: 10_800 }, 'about 1 to 3 hours'],
  ])('in the queue shows the estimated wait %j as text', (estimatedWait, words) => {
    expect(waitText(estimatedWait, texts)).toBe(words);
    expect(shown({}, { queuePosition: 7, estimatedWait })).toContain(`Estimated wait: <b>${words}</b>`);
    expect(shown({ status: 'held' }, { estimatedWait })).not.toContain('Estimated wait');
  });

  test.each([
    [undefined, 'noch nicht bekannt'],
    [{ minSeconds: 0, maxSeconds: 60 }, 'bis zu 1 Minute'],
    [{ minSeconds: 60, maxSeconds: 180 }, 'etwa 1 bis 3 Minuten'],
    [{ minSeconds: 30, maxSeconds: 120 }, 'etwa 30 Sekunden bis 2 Minuten'],
  ])('in the queue shows the estimated wait %j as German text', (estimatedWait, words) => {
    const german = textsOf('de');
    const html = String(orderFragment(fakeOrder(), { ...live, queuePosition: 7, estimatedWait }, german));
    expect(html).toContain(`Geschätzte Wartezeit: <b>${words}</b>`);
  });

  test.each(orderStatuses)('that is %s says in one sentence what happens next', (status) => {
    const order = fakeOrder({ status });
    for (const language of languages) {
      const { text, next } = orderText(order, live, textsOf(language));
      expect(next).toMatch(/^[A-Z][^.!?]+\.$/);
      expect(text).not.toContain(next);
      expect(String(orderFragment(order, live, textsOf(language)))).toContain(
        `<p class="next" id="next-${status}">${next}</p>`,
      );
    }
  });
});
