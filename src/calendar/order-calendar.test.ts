import { describe, expect, test } from 'vitest';
import { fakeNow, fakeOrder } from '../../test/support/fake-engine.ts';
import { type Order, orderStatuses } from '../domain/order.ts';
import { textsOf } from '../http/pages/texts/index.ts';
import { type Language, languages } from '../http/pages/texts/languages.ts';
import { orderCalendar } from './order-calendar.ts';

const confirmed: Order = fakeOrder({
  status: 'confirmed',
  flight: { ticketNumber: 'F-00000123' },
  hotel: { reservationNumber: 'H-00000456' },
  timeline: [
    { at: fakeNow, event: 'claimed' },
    { at: fakeNow + 61_000, event: 'confirmed' },
  ],
});

const calendarOf = (order: Order, language: Language = 'en') =>
  orderCalendar(order, textsOf(language).calendar);

/** The properties of each event, as `NAME: value`. */
function eventsOf(order: Order, language?: Language): string[][] {
  const text = calendarOf(order, language)?.text ?? '';
  return text
    .replaceAll('\r\n ', '')
    .split('BEGIN:VEVENT\r\n')
    .slice(1)
    .map((event) => event.split('END:VEVENT')[0]?.trim().split('\r\n') ?? []);
}

describe('the calendar file of a confirmed order', () => {
  test('has the day of the flight and the night, as whole days with their numbers', () => {
    const [flight = [], night = []] = eventsOf(confirmed);
    expect(eventsOf(confirmed)).toHaveLength(2);
    for (const event of [flight, night]) {
      expect(event).toEqual(
        expect.arrayContaining(['DTSTART;VALUE=DATE:20220809', 'DTEND;VALUE=DATE:20220810']),
      );
      expect(event).toContain('DTSTAMP:20220801T000101Z');
    }
    expect(flight).toContain('SUMMARY:Flight: Flight-1');
    expect(flight.join()).toContain('DESCRIPTION:Flight ticket: F-00000123\\n');
    expect(night).toContain('SUMMARY:Night at the hotel');
    expect(night.join()).toContain('DESCRIPTION:Hotel reservation: H-00000456\\n');
  });

  test('is in German for a customer who reads German', () => {
    const [flight = [], night = []] = eventsOf(confirmed, 'de');
    expect(flight).toContain('SUMMARY:Flug: Flight-1');
    expect(flight.join()).toContain('DESCRIPTION:Flugticket: F-00000123\\nDie Uhrzeit des Fluges');
    expect(night).toContain('SUMMARY:Nacht im Hotel');
    expect(night).toContain('DESCRIPTION:Hotelreservierung: H-00000456\\nFlug: Flight-1');
    expect(calendarOf(confirmed, 'de')?.name).toBe('reise-2022-08-09.ics');
  });

  test('is text/calendar in UTF-8, with a name that fits a header', () => {
    expect(calendarOf(confirmed)).toMatchObject({
      name: 'trip-2022-08-09.ics',
      type: 'text/calendar; charset=utf-8',
    });
    for (const language of languages) expect(calendarOf(confirmed, language)?.name).toMatch(/^[\w.-]+$/);
  });

  test.each(languages)('has no time of day in %s, because an order knows none', (language) => {
    const withoutStamps = (calendarOf(confirmed, language)?.text ?? '').replaceAll(/^DTSTAMP:.*$/gm, '');
    expect(withoutStamps).not.toMatch(/\dT\d|\d\d:\d\d/);
  });

  test('is the same for the same order, and no other order has its events', () => {
    expect(calendarOf({ ...confirmed })).toEqual(calendarOf(confirmed));
    const uidsOf = (order: Order, language?: Language) =>
      eventsOf(order, language).map((event) => event.find((line) => line.startsWith('UID:')));
    const uids = [...uidsOf(confirmed), ...uidsOf({ ...confirmed, id: '0000-0000-0000-0001' })];
    expect(new Set(uids).size).toBe(4);
    expect(uids).not.toContain(undefined);
    expect(uidsOf(confirmed, 'de')).toEqual(uidsOf(confirmed));
  });

  test('Q10 has neither the id nor the email of the order', () => {
    const text = (calendarOf(confirmed)?.text ?? '').replaceAll('\r\n ', '');
    expect(text).not.toContain(confirmed.id);
    expect(text).not.toContain(confirmed.email);
  });
});

test('an order that is not confirmed has no calendar file', () => {
  const having = orderStatuses.filter((status) => calendarOf({ ...confirmed, status }) !== undefined);
  expect(having).toEqual(['confirmed']);
});

test('an order whose night is no date has no calendar file', () => {
  const odd = { ...confirmed, package: { ...confirmed.package, stay: 'the night of the gala' } };
  expect(calendarOf(odd)).toBeUndefined();
});
