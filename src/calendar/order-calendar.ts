import { hash } from 'node:crypto';
import type { Order } from '../domain/order.ts';
import { calendarFile, type DayEvent, isDay } from './icalendar.ts';

/** A calendar file, to download or to attach to a mail. */
export interface CalendarFile {
  /** ASCII without quotes. */
  readonly name: string;
  /** The media type. */
  readonly type: string;
  readonly text: string;
}

/**
 * The calendar file of a confirmed order: the day of the flight and the night at the hotel. The same order has the same
 * file, byte for byte. Undefined if the order is not confirmed, or if its night is no date.
 *
 * An order knows no time of the flight, so both events are of whole days. Calendars are often shared, so a file has
 * neither the order's id nor its email, which together show and cancel the order (promise Q10).
 */
export function orderCalendar(order: Order): CalendarFile | undefined {
  const { stay } = order.package;
  if (order.status !== 'confirmed' || !isDay(stay)) return undefined;
  const changedAt = order.timeline.at(-1)?.at ?? order.createdAt;
  return {
    name: `trip-${stay}.ics`,
    type: 'text/calendar; charset=utf-8',
    text: calendarFile([flightDay(order), hotelNight(order)], changedAt),
  };
}

function flightDay(order: Order): DayEvent {
  const { flight, stay } = order.package;
  return {
    uid: uidOf(order, 'flight'),
    day: stay,
    summary: `Flight: ${flight}`,
    description: [
      ...(order.flight === undefined ? [] : [`Flight ticket: ${order.flight.ticketNumber}`]),
      'This entry does not know the time of the flight; the airline does.',
    ].join('\n'),
  };
}

function hotelNight(order: Order): DayEvent {
  const { flight, stay } = order.package;
  return {
    uid: uidOf(order, 'hotel'),
    day: stay,
    summary: 'Night at the hotel',
    description: [
      ...(order.hotel === undefined ? [] : [`Hotel reservation: ${order.hotel.reservationNumber}`]),
      `Flight: ${flight}`,
    ].join('\n'),
  };
}

/** The same for the same order, so that a calendar that gets the file again has each event once. */
function uidOf({ id }: Order, event: string): string {
  return `${hash('sha256', `calendar:${event}:${id}`).slice(0, 32)}@ticket-booking`;
}
