import { isSettled, type Order, type OrderStatus } from '../../../domain/order.ts';
import { icon } from '../elements.ts';
import { formatCount, formatDateTime, formatNight } from '../format.ts';
import { type Html, markup } from '../markup.ts';
import { type LiveOrderState, type OrderText, orderText, timeline, waitText } from './order-text.ts';
import type { TripOffer } from './package.ts';

export const orderElementId = 'order-live';

/** Whether the page shows an outcome. A compensating order counts, because for its buyer it has failed already. */
function hasOutcome(order: Order): boolean {
  return isSettled(order) || order.status === 'compensating';
}

const offering: ReadonlySet<OrderStatus> = new Set(['compensating', 'failed', 'withdrawn', 'cancelled']);

/** Whether the page offers to order the same trip again. Then the page also shows whether the trip is still on sale. */
export function offersAgain({ status }: Order): boolean {
  return offering.has(status);
}

/** Whether nothing on the page will change any more. */
function isStill(order: Order, { offer }: LiveOrderState): boolean {
  return isSettled(order) && (!offersAgain(order) || offer === 'sold_out');
}

/**
 * The live fragment of an order's page: outcome or position in the queue, actions, numbers and timeline. Parts that
 * differ between phases have the phase in their id, so that htmx replaces such a part instead of moving it. The buttons
 * submit the forms `again`, `cancel` and `calendar`, which are outside of the fragment.
 */
export function orderFragment(order: Order, live: LiveOrderState): Html {
  const words = orderText(order, live);
  const { status } = order;
  const phase = status === 'held' && order.flight !== undefined ? 'held-seat' : status;
  return markup`
    <div id="${orderElementId}" class="order" data-status="${status}" data-settled="${isStill(order, live) ? 'yes' : 'no'}"
      data-outcome="${hasOutcome(order) ? outcomeSentence(words) : ''}"
      data-place="${live.queuePosition ?? ''}" data-title="${tabTitle(order, live)}" data-now="${live.now}">
      <section class="verdict verdict-${status === 'queued' ? 'place' : words.tone}" id="verdict-${phase}">
        ${status === 'queued' ? '' : markup`<p class="verdict-icon">${icon(words.icon)}</p>`}
        <h1 id="headline-${phase}" class="headline" tabindex="-1">${words.headline}</h1>
        ${status === 'queued' ? markup`<p class="place" id="place" data-size="${(live.queuePosition ?? 0) < 1000 ? 'small' : 'large'}">${live.queuePosition === undefined ? '–' : formatCount(live.queuePosition)}</p>` : ''}
        <p class="verdict-text">${words.text}</p>
        ${status === 'queued' ? markup`<p class="wait" id="wait">Estimated wait: <b>${waitText(live.estimatedWait)}</b></p>` : ''}
        <p class="next" id="next-${phase}">${words.next}</p>
        ${steps(order)}
        <div class="actions">${actions(order, live)}</div>
      </section>
      <dl class="facts">
        ${fact('Order number', order.id)}
        ${fact('Flight ticket', order.flight?.ticketNumber, order)}
        ${fact('Hotel reservation', order.hotel?.reservationNumber, order)}
        ${night(order)}
        <div class="fact"><dt>Email</dt><dd dir="auto">${order.email}</dd></div>
        <div class="fact"><dt>Ordered</dt>
          <dd><time class="moment" datetime="${new Date(order.createdAt).toISOString()}">
            ${formatDateTime(order.createdAt)}</time></dd></div>
      </dl>
      <section class="story">
        <h2>What happened</h2>
        ${timeline(order.timeline)}
      </section>
    </div>`;
}

/** The text for screen readers: `The airline had no seat. You have not been charged.` */
function outcomeSentence({ headline, text }: OrderText): string {
  return headline.endsWith('.') ? `${headline} ${text}` : `${headline}. ${text}`;
}

/** The title of the page. The trip comes last, because a narrow tab shows only the beginning. */
export function tabTitle(order: Order, live: LiveOrderState): string {
  const isPlaced = order.status === 'queued' && live.queuePosition !== undefined;
  const start = isPlaced
    ? `No. ${formatCount(live.queuePosition ?? 0)} in the queue`
    : orderText(order, live).title;
  return `${start} · ${order.package.flight}`;
}

/** The steps of a booking in progress. */
function steps(order: Order): Html | '' {
  if (order.status !== 'held') return '';
  const hasSeat = order.flight !== undefined;
  const step = (state: 'done' | 'now' | 'next', name: string, words: string) => markup`
    <li class="step step-${state}">${icon(state === 'done' ? 'check' : 'clock')}<b>${name}</b> <span>${words}</span></li>`;
  return markup`
    <ol class="steps">
      ${step('done', 'Place', 'held')}
      ${hasSeat ? step('done', 'Flight', 'reserved') : step('now', 'Flight', 'asking')}
      ${hasSeat ? step('now', 'Hotel', 'asking') : step('next', 'Hotel', 'next')}
    </ol>`;
}

function actions(order: Order, { offer }: LiveOrderState): Html | '' {
  switch (order.status) {
    case 'queued':
      return markup`
        <p class="reassurance">You can close this page; we keep your position.</p>
        ${confirmed(order)}`;
    case 'held':
    case 'cancelling':
      return markup`<p class="reassurance">You can close this page; we carry on.</p>`;
    case 'confirmed':
      return markup`
        <div class="choices">
          <button class="button primary needs-script" type="button" data-print id="print">Print</button>
          <a class="button quiet" href="/order">Book another trip</a>
          <a class="button quiet" href="#find-again">How to find it again</a>
        </div>
        ${confirmed(order)}`;
    case 'rejected':
      return otherTrips();
    case 'compensating':
    case 'failed':
      return again('Try again', offer);
    case 'withdrawn':
    case 'cancelled':
      return again('Order again', offer);
  }
}

function again(label: string, offer: TripOffer = 'open'): Html {
  if (offer === 'open') {
    return markup`
      <button class="button primary" type="submit" form="again" data-busy="Placing your order…" id="try-again">${label}</button>
      <a class="button quiet" href="/order">Other trips</a>`;
  }
  return markup`
    <p class="reassurance">${offer === 'sold_out' ? 'This trip has sold out since.' : 'This trip is not on sale right now.'}</p>
    ${otherTrips()}`;
}

function otherTrips(): Html {
  return markup`<a class="button primary" href="/order" id="other-trips">See other trips</a>`;
}

interface Confirmation {
  readonly label: string;
  readonly effect: string;
  readonly yes: string;
  readonly no: string;
}

/** The confirmation for leaving the queue or cancelling; undefined in other statuses. */
export function givingUp({ status }: Order): Confirmation | undefined {
  if (status === 'queued') {
    return {
      label: 'Leave the queue',
      effect: 'You give up your position. If you order again, you join the queue at its end.',
      yes: 'Yes, leave the queue',
      no: 'Keep my position',
    };
  }
  if (status !== 'confirmed') return undefined;
  return {
    label: 'Cancel this trip',
    effect:
      'Your seat and your room are given back at once, and somebody else may take them. This cannot be undone.',
    yes: 'Yes, cancel the trip',
    no: 'Keep it',
  };
}

/**
 * A button that opens a confirmation, which explains the effect and stays open during live updates. Without JavaScript
 * the confirmation is outside of the fragment, because the page of a queued order reloads every few seconds, which
 * would close it.
 */
function confirmed(order: Order): Html {
  const step = givingUp(order);
  if (step === undefined) return markup``;
  const look = order.status === 'confirmed' ? 'plain' : 'quiet';
  return markup`
    <details class="confirm keep needs-script" id="confirm-${order.status}">
      <summary class="button ${look}">${step.label}</summary>
      ${confirmBody(step)}
    </details>`;
}

/** @param back the link of the `no` button. With JavaScript the confirmation only closes. */
export function confirmBody({ effect, yes, no }: Confirmation, back = '#main'): Html {
  return markup`
    <div class="confirm-body">
      <p>${effect}</p>
      <div class="choices">
        <button class="button danger" type="submit" form="cancel" data-busy="One moment…">${yes}</button>
        <a class="button quiet" href="${back}" data-keep>${no}</a>
      </div>
    </div>`;
}

/** A number with its copy button. Its row always exists, so nothing moves when the number arrives. */
function fact(label: string, number: string | undefined, order?: Order): Html {
  const missing = order === undefined ? undefined : missingWords(number, order);
  const id = `copy-${label.toLowerCase().replaceAll(' ', '-')}`;
  const value =
    missing === undefined
      ? markup`<dd><code>${number}</code><button class="copy" id="${id}" type="button" data-copy="${number}"
          aria-label="Copy ${label.toLowerCase()}">Copy</button></dd>`
      : markup`<dd class="fact-none">${missing}</dd>`;
  return markup`<div class="fact fact-number"><dt>${label}</dt>${value}</div>`;
}

/** The night, and once the trip is booked a button that saves the trip as a calendar file. */
function night({ status, package: { stay } }: Order): Html {
  const save =
    status === 'confirmed'
      ? markup`<button class="copy" id="save-to-calendar" type="submit" form="calendar">Add to calendar</button>`
      : '';
  return markup`<div class="fact fact-number"><dt>Night</dt><dd>${formatNight(stay)}${save}</dd></div>`;
}

/** The text in place of a missing or invalid number; undefined if the number is valid. */
function missingWords(number: string | undefined, order: Order): string | undefined {
  const hasEnded = hasOutcome(order) && order.status !== 'confirmed';
  if (number === undefined) return hasEnded ? 'None' : 'Not yet';
  return hasEnded ? 'Given back' : undefined;
}
