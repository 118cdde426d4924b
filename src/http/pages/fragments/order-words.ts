import { errorKind } from '../../../domain/errors.ts';
import type { Order } from '../../../domain/order.ts';
import type { IconName } from '../icons.ts';
import { nightWords, peopleAre, unitsAre } from '../words.ts';
import type { OrderLive } from './order.ts';

/** How an order stands, as its buyer sees it. `tone` picks the colour; icon and words say the same. */
export interface OrderWords {
  readonly tone: 'waiting' | 'good' | 'bad' | 'neutral';
  readonly icon: IconName;
  /** The tab's title, in front of the trip. */
  readonly title: string;
  readonly headline: string;
  readonly text: string;
}

export function orderWords(order: Order, live: OrderLive): OrderWords {
  const { flight, stay } = order.package;
  switch (order.status) {
    case 'queued':
      return { ...waiting('line', 'In line'), headline: 'Your place in line', text: lineWords(live) };
    case 'held':
      return order.flight === undefined
        ? {
            ...waiting('plane', 'Booking'),
            headline: 'Asking the airline…',
            text: 'A unit is held for you while we book. This takes a few seconds.',
          }
        : {
            ...waiting('bed', 'Booking'),
            headline: 'Asking the hotel…',
            text: 'Your seat is reserved. The room is next.',
          };
    case 'confirmed':
      return {
        tone: 'good',
        icon: 'check',
        title: 'Booked',
        headline: 'Your trip is booked',
        text: `${flight} and the night of ${nightWords(stay)} are yours.`,
      };
    case 'cancelling':
      return {
        ...waiting('back', 'Cancelling'),
        headline: 'Cancelling your trip…',
        text: 'We are giving your seat and your room back.',
      };
    case 'cancelled':
      return {
        ...neutral('Cancelled'),
        headline: 'This trip is cancelled',
        text: 'Your seat and your room were given back.',
      };
    case 'withdrawn':
      return {
        ...neutral('Left the line'),
        headline: 'You left the line',
        text: 'Nothing was booked. You have not been charged.',
      };
    case 'rejected':
      return {
        tone: 'bad',
        icon: 'cross',
        title: 'Sold out',
        headline: 'Sold out before your turn',
        text: errorKind('sold_out').words,
      };
    case 'compensating':
    case 'failed':
      return { tone: 'bad', icon: 'cross', title: 'Not booked', ...failureWords(order) };
  }
}

function waiting(icon: IconName, title: string) {
  return { tone: 'waiting', icon, title } as const;
}

function neutral(title: string) {
  return { tone: 'neutral', icon: 'back', title } as const;
}

/** `1 unit is being booked; you are next if it fails.` */
export function lineWords({ place, inProgress }: OrderLive): string {
  if (inProgress === 0) return 'No unit is being booked at this moment; the line moves on by itself.';
  const booked = `${unitsAre(inProgress)} being booked`;
  if (place === undefined) return `${booked}; a unit that fails goes to the next in line.`;
  if (place > 1) return `${booked}; ${peopleAre(place - 1)} before you.`;
  return `${booked}; you are next if ${inProgress === 1 ? 'it' : 'one'} fails.`;
}

/** `The airline had no seat.` as the headline, `You have not been charged.` beneath. */
function failureWords(order: Order): { headline: string; text: string } {
  const returning = order.status === 'compensating' ? ' We are giving back what was already reserved.' : '';
  const [headline = '', ...rest] = reasonWords(order).split(/(?<=\.) /);
  return { headline, text: rest.join(' ') + returning };
}

function reasonWords({ reason }: Order): string {
  switch (reason) {
    case 'flight_unavailable':
    case 'hotel_unavailable':
    case 'invalid_ticket':
    case 'sold_out':
      return errorKind(reason).words;
    case 'supplier_silent':
      return 'The airline or the hotel did not answer. You have not been charged.';
    default:
      return errorKind('supplier_failed').words;
  }
}
