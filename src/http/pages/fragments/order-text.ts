import { errorKind } from '../../../domain/errors.ts';
import type { Order, TimelineEntry, TimelineEvent } from '../../../domain/order.ts';
import type { EstimatedWait } from '../../../engine/engine.ts';
import type { IconName } from '../elements.ts';
import { formatNight, formatTime, formatWaitRange, peopleAre, placesAre } from '../format.ts';
import { type Html, markup } from '../markup.ts';
import type { TripOffer } from './package.ts';

/** An order's status in words. `tone` selects the colour; the icon and the words say the same without colour. */
export interface OrderText {
  readonly tone: 'waiting' | 'good' | 'bad' | 'neutral';
  readonly icon: IconName;
  /** The first part of the page's title. */
  readonly title: string;
  readonly headline: string;
  readonly text: string;
  /** One sentence about what happens next. It is true as long as the order has this status. */
  readonly next: string;
}

export function orderText(order: Order, live: LiveOrderState): OrderText {
  switch (order.status) {
    case 'queued':
      return {
        ...waiting('line', 'In the queue'),
        headline: 'Your position in the queue',
        text: queueText(live),
        next: 'On your turn we book at once, unless everything has been sold by then.',
      };
    case 'held':
      return order.flight === undefined
        ? {
            ...waiting('plane', 'Booking'),
            headline: 'Asking the airline…',
            text: 'We hold a place for you while we book. You will know in a few seconds.',
            next: 'If the airline has a seat, we ask the hotel for your room.',
          }
        : {
            ...waiting('bed', 'Booking'),
            headline: 'Asking the hotel…',
            text: 'Your seat is reserved. Your room is next.',
            next: 'If the hotel has a room, your trip is booked.',
          };
    case 'confirmed':
      return {
        tone: 'good',
        icon: 'check',
        title: 'Booked',
        headline: 'Your trip is booked',
        text: `Your seat and your room for the night of ${formatNight(order.package.stay)} are reserved. No payment is taken.`,
        next: 'On your trip you need the ticket and the reservation number below.',
      };
    case 'cancelling':
      return {
        ...waiting('back', 'Cancelling'),
        headline: 'Cancelling your trip…',
        text: 'We are giving back your seat and your room.',
        next: 'As soon as both are given back, the trip is cancelled.',
      };
    case 'cancelled':
      return {
        ...neutral('Cancelled'),
        headline: 'This trip is cancelled',
        text: 'Your seat and your room were given back. You have not been charged.',
        next: 'This order has ended; you can order again while the trip is on sale.',
      };
    case 'withdrawn':
      return {
        ...neutral('Left the queue'),
        headline: 'You left the queue',
        text: 'Nothing was booked. You have not been charged.',
        next: 'This order has ended; if you order again, you join the queue at its end.',
      };
    case 'rejected':
      return {
        tone: 'bad',
        icon: 'cross',
        title: 'Sold out',
        headline: 'Sold out before your turn',
        text: errorKind('sold_out').words,
        next: 'This order has ended; other trips may still be on sale.',
      };
    case 'compensating':
      return {
        ...failed(order),
        next: 'You need not wait for that: this order can no longer be booked.',
      };
    case 'failed':
      return {
        ...failed(order),
        next: 'This order has ended; you can try again while the trip is on sale.',
      };
  }
}

function waiting(icon: IconName, title: string) {
  return { tone: 'waiting', icon, title } as const;
}

function neutral(title: string) {
  return { tone: 'neutral', icon: 'back', title } as const;
}

function failed(order: Order) {
  return { tone: 'bad', icon: 'cross', title: 'Not booked', ...failureText(order) } as const;
}

/** The text of a queued order, such as `1 place is being booked. You get it if that booking fails.` */
export function queueText({ queuePosition, inProgress }: LiveOrderState): string {
  const ahead =
    queuePosition === undefined || queuePosition === 1 ? '' : `${peopleAre(queuePosition - 1)} ahead of you.`;
  if (inProgress === 0) return ahead === '' ? 'You will move up as soon as a place comes free.' : ahead;
  const booked = `${placesAre(inProgress)} being booked.`;
  if (queuePosition === undefined)
    return `${booked} If a booking fails, its place goes to the next in the queue.`;
  if (queuePosition > 1) return `${ahead} ${booked}`;
  return inProgress === 1
    ? `${booked} You get it if that booking fails.`
    : `${booked} You get the first that comes free.`;
}

/** The estimated wait of a queued order, such as `about 1 to 3 minutes`. */
export function waitText(wait: EstimatedWait | undefined): string {
  return wait === undefined ? 'not known yet' : formatWaitRange(wait.minSeconds, wait.maxSeconds);
}

/** The text of a failed order, such as headline `The airline had no seat.` and text `You have not been charged.` */
function failureText(order: Order): { headline: string; text: string } {
  const returning = order.status === 'compensating' ? ' We are giving back what was already reserved.' : '';
  const [headline = '', ...rest] = reasonText(order).split(/(?<=\.) /);
  return { headline, text: rest.join(' ') + returning };
}

function reasonText({ reason }: Order): string {
  if (reason === undefined) return errorKind('supplier_failed').words;
  switch (reason) {
    case 'flight_unavailable':
    case 'hotel_unavailable':
    case 'invalid_ticket':
    case 'sold_out':
      return errorKind(reason).words;
    case 'supplier_silent':
      return 'The airline or the hotel did not answer. You have not been charged.';
  }
}

export interface LiveOrderState {
  /** The position in the queue, from 1, while the order is queued and the position is known. */
  readonly queuePosition?: number | undefined;
  /** The estimated wait at this position, while it is known. */
  readonly estimatedWait?: EstimatedWait | undefined;
  /** Units of the package that are being booked now. */
  readonly inProgress: number;
  /** Whether the trip can be ordered now, if known. */
  readonly offer?: TripOffer | undefined;
  /** The server's time, as Unix time in ms. */
  readonly now: number;
}

const plain: Record<TimelineEvent, string> = {
  queued: 'You joined the queue.',
  claimed: 'A place was held for you.',
  'flight reserved': 'The airline reserved your seat.',
  'flight refused': 'The airline had no seat.',
  'flight unknown': 'The airline did not answer.',
  'hotel reserved': 'The hotel reserved your room.',
  'hotel refused': 'The hotel had no room.',
  'hotel unknown': 'The hotel did not answer.',
  confirmed: 'Your trip was confirmed.',
  compensating: 'We started to give back what was reserved.',
  'cancel requested': 'You asked us to cancel the trip.',
  'flight cancelled': 'Your seat was given back.',
  'hotel cancelled': 'Your room was given back.',
  released: 'The place became free for others.',
  failed: 'The order ended without a booking.',
  cancelled: 'The trip was cancelled.',
  withdrawn: 'You left the queue.',
  'sold out': 'The last place was sold.',
};

/** The events of an order, oldest first. */
export function timeline(entries: readonly TimelineEntry[]): Html {
  return markup`
    <ol class="timeline">
      ${entries.map(
        ({ at, event }) => markup`
          <li><time class="clock" datetime="${new Date(at).toISOString()}">${formatTime(at)}</time>
            <span>${plain[event]}</span></li>`,
      )}
    </ol>`;
}
