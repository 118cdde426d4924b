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

/** The texts of a calendar file in one language. */
export interface CalendarTexts {
  /** The file's name without its ending, in ASCII without quotes. `day` is an ISO date. */
  readonly fileName: (day: string) => string;
  readonly flight: (flight: string) => string;
  readonly ticket: (ticketNumber: string) => string;
  /** Says that the time of the flight is not in the file. */
  readonly noTime: string;
  readonly night: string;
  readonly reservation: (reservationNumber: string) => string;
}

/**
 * The calendar file of a confirmed order: the day of the flight and the night at the hotel. The same order has the same
 * file in the same language, byte for byte. Undefined if the order is not confirmed, or if its night is no date.
 *
 * An order knows no time of the flight, so both events are of whole days. Calendars are often shared, so a file has
 * neither the order's id nor its email, which together show and cancel the order (promise Q10).
 */
export function orderCalendar(order: Order, texts: CalendarTexts): CalendarFile | undefined {
  const { stay } = order.package;
  if (order.status !== 'confirmed' || !isDay(stay)) return undefined;
  const changedAt = order.timeline.at(-1)?.at ?? order.createdAt;
  return {
    name: `${texts.fileName(stay)}.ics`,
    type: 'text/calendar; charset=utf-8',
    text: calendarFile([flightDay(order, texts), hotelNight(order, texts)], changedAt),
  };
}

function flightDay(order: Order, texts: CalendarTexts): DayEvent {
  const { flight, stay } = order.package;
  return {
    uid: uidOf(order, 'flight'),
    day: stay,
    summary: texts.flight(flight),
    description: [
      ...(order.flight === undefined ? [] : [texts.ticket(order.flight.ticketNumber)]),
      texts.noTime,
    ].join('\n'),
  };
}

function hotelNight(order: Order, texts: CalendarTexts): DayEvent {
  const { flight, stay } = order.package;
  return {
    uid: uidOf(order, 'hotel'),
    day: stay,
    summary: texts.night,
    description: [
      ...(order.hotel === undefined ? [] : [texts.reservation(order.hotel.reservationNumber)]),
      texts.flight(flight),
    ].join('\n'),
  };
}

/**
 * The same for the same order in every language, so that a calendar that gets the file again has each event once.
 */
function uidOf({ id }: Order, event: string): string {
  return `${hash('sha256', `calendar:${event}:${id}`).slice(0, 32)}@ticket-booking`;
}
