import { isSettled, type Order } from '../../../domain/order.ts';
import { icon } from '../icons.ts';
import { type Html, markup } from '../markup.ts';
import { momentWords } from '../words.ts';
import { type OrderWords, orderWords } from './order-words.ts';
import { timeline } from './timeline.ts';

export interface OrderLive {
  /** From 1, while the order is queued and its line is known. */
  readonly place?: number | undefined;
  /** Units of its package that are being booked right now. */
  readonly inProgress: number;
  /** The server's clock, ms since the epoch. */
  readonly now: number;
}

export const orderElementId = 'order-live';

/** Whether the buyer is told of an outcome: a compensating order has failed for its buyer already. */
export function hasOutcome(order: Order): boolean {
  return isSettled(order) || order.status === 'compensating';
}

/**
 * The live part of a result or queue page: outcome or place in line first, then what can be done, the numbers and
 * the timeline. Its parts are keyed by the order's phase where they differ, so that the morph replaces them
 * instead of moving them. Its buttons submit the forms `again` and `cancel`, which the page holds beside the fragment.
 */
export function orderFragment(order: Order, live: OrderLive): Html {
  const words = orderWords(order, live);
  const { status } = order;
  const phase = status === 'held' && order.flight !== undefined ? 'held-seat' : status;
  return markup`
    <div id="${orderElementId}" class="order" data-status="${status}" data-settled="${isSettled(order) ? 'yes' : 'no'}"
      data-outcome="${hasOutcome(order) ? outcomeSentence(words) : ''}"
      data-place="${live.place ?? ''}" data-title="${tabTitle(order, live)}" data-now="${live.now}">
      <section class="verdict verdict-${status === 'queued' ? 'place' : words.tone}" id="verdict-${phase}">
        ${status === 'queued' ? '' : markup`<p class="verdict-icon">${icon(words.icon)}</p>`}
        <h1 id="headline-${phase}" class="headline" tabindex="-1">${words.headline}</h1>
        ${status === 'queued' ? markup`<p class="place" id="place">${live.place ?? '–'}</p>` : ''}
        <p class="verdict-text">${words.text}</p>
        ${steps(order)}
        <div class="actions">${actions(order)}</div>
      </section>
      <dl class="facts">
        ${fact('Order number', order.id)}
        ${fact('Flight ticket', order.flight?.ticketNumber, order)}
        ${fact('Hotel reservation', order.hotel?.reservationNumber, order)}
        <div class="fact"><dt>Email</dt><dd>${order.email}</dd></div>
        <div class="fact"><dt>Ordered</dt>
          <dd><time class="moment" datetime="${new Date(order.createdAt).toISOString()}">
            ${momentWords(order.createdAt)}</time></dd></div>
      </dl>
      <section class="story">
        <h2>What happened</h2>
        ${timeline(order.timeline)}
      </section>
    </div>`;
}

/** What is announced: `The airline had no seat. You have not been charged.` */
function outcomeSentence({ headline, text }: OrderWords): string {
  return headline.endsWith('.') ? `${headline} ${text}` : `${headline}. ${text}`;
}

/** The title of the order's tab; the trip last, because tabs are narrow. */
export function tabTitle(order: Order, live: OrderLive): string {
  const isPlaced = order.status === 'queued' && live.place !== undefined;
  const start = isPlaced ? `No. ${live.place} in line` : orderWords(order, live).title;
  return `${start} · ${order.package.flight}`;
}

/** The way of a booking, while it is under way. */
function steps(order: Order): Html | '' {
  if (order.status !== 'held') return '';
  const hasSeat = order.flight !== undefined;
  const step = (state: 'done' | 'now' | 'next', name: string, words: string) => markup`
    <li class="step step-${state}">${icon(state === 'done' ? 'check' : 'clock')}<b>${name}</b> <span>${words}</span></li>`;
  return markup`
    <ol class="steps">
      ${step('done', 'Unit', 'held')}
      ${hasSeat ? step('done', 'Flight', 'reserved') : step('now', 'Flight', 'asking')}
      ${hasSeat ? step('now', 'Hotel', 'asking') : step('next', 'Hotel', 'next')}
    </ol>`;
}

function actions(order: Order): Html | '' {
  switch (order.status) {
    case 'queued':
      return markup`
        <p class="reassurance">You can close this page; your place is kept.</p>
        ${confirmed(order, 'Leave the line', 'You give up your place. If you order again, you start at the end of the line.', 'Yes, leave the line')}`;
    case 'held':
    case 'cancelling':
      return markup`<p class="reassurance">You can close this page; we carry on.</p>`;
    case 'confirmed':
      return confirmed(
        order,
        'Cancel this trip',
        'Your seat and your room are given back at once, and the next in line may take them. This cannot be undone.',
        'Yes, cancel the trip',
      );
    case 'rejected':
      return markup`<a class="button primary" href="/order">See the other trips</a>`;
    case 'compensating':
    case 'failed':
      return again('Try again');
    case 'withdrawn':
    case 'cancelled':
      return again('Order again');
  }
}

function again(label: string): Html {
  return markup`
    <button class="button primary" type="submit" form="again" data-busy="Asking the airline…">${label}</button>
    <a class="button quiet" href="/order">Other trips</a>`;
}

/** A step that names its effect before it is taken; it works without JavaScript, and stays open across updates. */
function confirmed(order: Order, label: string, effect: string, yes: string): Html {
  return markup`
    <details class="confirm keep" id="confirm-${order.status}">
      <summary class="button quiet">${label}</summary>
      <div class="confirm-body">
        <p>${effect}</p>
        <button class="button danger" type="submit" form="cancel" data-busy="One moment…">${yes}</button>
      </div>
    </details>`;
}

/** A number to keep, with its copy button; its row is there from the beginning, so that nothing moves. */
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

/** What stands where there is no valid number; undefined where there is one. */
function missingWords(number: string | undefined, order: Order): string | undefined {
  const hasEnded = hasOutcome(order) && order.status !== 'confirmed';
  if (number === undefined) return hasEnded ? 'None' : 'Not yet';
  return hasEnded ? 'Given back' : undefined;
}
