import type { Order, TimelineEntry } from '../../../domain/order.ts';
import type { EstimatedWait } from '../../../engine/engine.ts';
import type { IconName } from '../elements.ts';
import { type Html, markup } from '../markup.ts';
import type { Texts } from '../texts/index.ts';
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

export function orderText(order: Order, live: LiveOrderState, texts: Texts): OrderText {
  const { status } = texts;
  switch (order.status) {
    case 'queued':
      return { ...waiting('line'), ...status.queued, text: queueText(live, texts) };
    case 'held':
      return order.flight === undefined
        ? { ...waiting('plane'), ...status.askingAirline }
        : {
            ...waiting('bed'),
            ...status.askingHotel,
            next: order.payment === undefined ? status.askingHotel.next : status.askingHotelFirst,
          };
    case 'payable':
      return { ...waiting('clock'), ...status.payable };
    case 'confirmed': {
      const text = status.confirmed.text(
        texts.formats.night(order.package.stay),
        order.payment !== undefined,
      );
      return { tone: 'good', icon: 'check', ...status.confirmed, text };
    }
    case 'cancelling':
      return { ...waiting('back'), ...status.cancelling };
    case 'cancelled':
      return {
        tone: 'neutral',
        icon: 'back',
        ...status.cancelled,
        text: status.cancelled.text(order.payment !== undefined),
      };
    case 'withdrawn':
      return { tone: 'neutral', icon: 'back', ...status.withdrawn };
    case 'rejected':
      return { tone: 'bad', icon: 'cross', ...status.rejected, text: texts.errors.sold_out };
    case 'compensating':
    case 'failed':
      return { tone: 'bad', icon: 'cross', ...status[order.status], ...failureText(order, texts) };
  }
}

function waiting(icon: IconName) {
  return { tone: 'waiting', icon } as const;
}

/** The text of a queued order, such as `1 place is being booked. You get it if that booking fails.` */
export function queueText(
  { queuePosition, inProgress }: LiveOrderState,
  { queue }: Pick<Texts, 'queue'>,
): string {
  const ahead = queuePosition === undefined || queuePosition === 1 ? '' : queue.ahead(queuePosition - 1);
  if (inProgress === 0) return ahead === '' ? queue.movingUp : ahead;
  const booked = queue.booking(inProgress);
  if (queuePosition === undefined) return `${booked} ${queue.placesGoOn}`;
  if (queuePosition > 1) return `${ahead} ${booked}`;
  return `${booked} ${inProgress === 1 ? queue.yoursIfItFails : queue.firstIsYours}`;
}

/** The estimated wait of a queued order, such as `about 1 to 3 minutes`. */
export function waitText(
  wait: EstimatedWait | undefined,
  { formats, queue }: Pick<Texts, 'formats' | 'queue'>,
): string {
  if (wait === undefined) return queue.waitUnknown;
  const [min, max] = formats.waitRange(wait.minSeconds, wait.maxSeconds);
  return wait.minSeconds === 0 ? queue.waitUpTo(max) : queue.waitBetween(min, max);
}

/** The text of a failed order, such as headline `The airline had no seat.` and text `You have not been charged.` */
function failureText(order: Order, texts: Texts): { headline: string; text: string } {
  const returning = order.status === 'compensating' ? ` ${texts.status.givingBack}` : '';
  const [headline = '', ...rest] = reasonText(order, texts).split(/(?<=\.) /);
  return { headline, text: rest.join(' ') + returning };
}

/** Why an order failed, in words for its buyer. */
export function reasonText(
  { reason, timeline }: Pick<Order, 'reason' | 'timeline'>,
  { errors, status }: Texts,
): string {
  if (reason === undefined) return errors.supplier_failed;
  switch (reason) {
    case 'flight_unavailable':
    case 'hotel_unavailable':
    case 'invalid_ticket':
    case 'sold_out':
    case 'payment_refused':
    case 'payment_declined':
    case 'payment_expired':
      return errors[reason];
    case 'payment_abandoned':
      return status.paymentAbandoned;
    case 'supplier_silent': {
      const isProvider = timeline.some(({ event }) => event === 'payment unknown');
      return isProvider ? status.providerSilent : status.supplierSilent;
    }
  }
}

/** The time that is left, as page.js shows it: `0:42`, `1:02:03` or, in English, `2 d 03:04:05`. */
export function countdown(ms: number, { scripts }: Pick<Texts, 'scripts'>): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const two = (figure: number) => String(figure).padStart(2, '0');
  const [d = 0, h = 0, m = 0, s = 0] = [
    ...[seconds / 86_400, (seconds / 3600) % 24, (seconds / 60) % 60, seconds % 60],
  ].map(Math.floor);
  if (d === 0) return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
  const time = `${two(h)}:${two(m)}:${two(s)}`;
  return scripts.page.days.replace('{days}', String(d)).replace('{time}', time);
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

/** The events of an order, oldest first. */
export function timeline(entries: readonly TimelineEntry[], { formats, result }: Texts): Html {
  return markup`
    <ol class="timeline">
      ${entries.map(
        ({ at, event }) => markup`
          <li><time class="clock" datetime="${new Date(at).toISOString()}">${formats.time(at)}</time>
            <span>${result.events[event]}</span></li>`,
      )}
    </ol>`;
}
