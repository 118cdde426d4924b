import {
  isSettled,
  isTripOver,
  type Order,
  type OrderReason,
  type OrderStatus,
  unpaidReasons,
} from '../../../domain/order.ts';
import { icon } from '../elements.ts';
import { type Html, markup } from '../markup.ts';
import type { Texts } from '../texts/index.ts';
import {
  countdown,
  type LiveOrderState,
  type OrderText,
  orderText,
  timeline,
  waitText,
} from './order-text.ts';
import type { TripOffer } from './package.ts';

export const orderElementId = 'order-live';

const dayMs = 86_400_000;

/** Whether the page shows an outcome. A compensating order counts, because for its buyer it has failed already. */
function hasOutcome(order: Order): boolean {
  return isSettled(order) || order.status === 'compensating';
}

/** The reasons after which the page offers to order again. After the others it offers to try again. */
const unpaid: ReadonlySet<OrderReason | undefined> = new Set(unpaidReasons);

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
export function orderFragment(order: Order, live: LiveOrderState, texts: Texts): Html {
  const words = orderText(order, live, texts);
  const { formats, facts, result } = texts;
  const { status } = order;
  const phase = status === 'held' && order.flight !== undefined ? 'held-seat' : status;
  return markup`
    <div id="${orderElementId}" class="order" data-status="${status}" data-settled="${isStill(order, live) ? 'yes' : 'no'}"
      data-outcome="${hasOutcome(order) ? outcomeSentence(words) : ''}"
      data-place="${live.queuePosition ?? ''}" data-title="${tabTitle(order, live, texts)}" data-now="${live.now}">
      <section class="verdict verdict-${status === 'queued' ? 'place' : words.tone}" id="verdict-${phase}">
        ${status === 'queued' || status === 'payable' ? '' : markup`<p class="verdict-icon">${icon(words.icon)}</p>`}
        <h1 id="headline-${phase}" class="headline" tabindex="-1">${words.headline}</h1>
        ${status === 'queued' ? markup`<p class="place" id="place" data-size="${(live.queuePosition ?? 0) < 1000 ? 'small' : 'large'}">${live.queuePosition === undefined ? '–' : formats.count(live.queuePosition)}</p>` : ''}
        ${paymentDue(order, live, texts)}
        <p class="verdict-text">${words.text}</p>
        ${status === 'queued' ? markup`<p class="wait" id="wait">${texts.queue.wait} <b>${waitText(live.estimatedWait, texts)}</b></p>` : ''}
        <p class="next" id="next-${phase}">${words.next}</p>
        ${steps(order, result.steps)}
        <div class="actions">${actions(order, live, texts)}</div>
      </section>
      <dl class="facts">
        ${fact(facts, { id: 'order-number', label: facts.orderNumber, number: order.id })}
        ${fact(facts, { id: 'flight-ticket', label: facts.flightTicket, number: order.flight?.ticketNumber, order })}
        ${fact(facts, { id: 'hotel-reservation', label: facts.hotelReservation, number: order.hotel?.reservationNumber, order })}
        ${night(order, texts)}
        <div class="fact"><dt>${facts.email}</dt><dd dir="auto">${order.email}</dd></div>
        <div class="fact"><dt>${facts.ordered}</dt>
          <dd><time class="moment" datetime="${new Date(order.createdAt).toISOString()}">
            ${formats.dateTime(order.createdAt)}</time></dd></div>
      </dl>
      <section class="story">
        <h2>${result.story}</h2>
        ${timeline(order.timeline, texts)}
      </section>
    </div>`;
}

function isOverdue({ payment }: Order, now: number): boolean {
  return payment?.payBy !== undefined && now >= payment.payBy;
}

/**
 * The amount of a payable order, until when it is due, and the time that is left. result.js keeps that live. Without
 * JavaScript it is not shown, because it would soon be wrong.
 */
function paymentDue({ status, payment }: Order, { now }: LiveOrderState, texts: Texts): Html | '' {
  if (status !== 'payable' || payment?.payBy === undefined) return '';
  const { amount, currency, payBy } = payment;
  const { formats, result } = texts;
  const iso = new Date(payBy).toISOString();
  const time =
    payBy - now < dayMs
      ? markup`<time class="clock" datetime="${iso}">${formats.time(payBy)}</time>`
      : markup`<time class="moment" datetime="${iso}">${formats.dateTime(payBy)}</time>`;
  return markup`
    <p class="amount" id="amount">${formats.amount(amount, currency)}</p>
    <p class="wait" id="pay-by">${result.payBy(time)}
      <span class="needs-script"><b id="countdown" role="timer" data-until="${payBy}">${countdown(payBy - now, texts)}</b></span></p>`;
}

/** The text for screen readers: `The airline had no seat. You have not been charged.` */
function outcomeSentence({ headline, text }: OrderText): string {
  return headline.endsWith('.') ? `${headline} ${text}` : `${headline}. ${text}`;
}

/** The title of the page. The trip comes last, because a narrow tab shows only the beginning. */
export function tabTitle(order: Order, live: LiveOrderState, texts: Texts): string {
  const isPlaced = order.status === 'queued' && live.queuePosition !== undefined;
  const start = isPlaced ? texts.queue.title(live.queuePosition ?? 0) : orderText(order, live, texts).title;
  return `${start} · ${order.package.flight}`;
}

/** The steps of a booking in progress. */
function steps(order: Order, texts: Texts['result']['steps']): Html | '' {
  if (order.status !== 'held') return '';
  const { place, flight, hotel, held, reserved, asking, next } = texts;
  const hasSeat = order.flight !== undefined;
  const step = (state: 'done' | 'now' | 'next', name: string, words: string) => markup`
    <li class="step step-${state}">${icon(state === 'done' ? 'check' : 'clock')}<b>${name}</b> <span>${words}</span></li>`;
  return markup`
    <ol class="steps">
      ${step('done', place, held)}
      ${hasSeat ? step('done', flight, reserved) : step('now', flight, asking)}
      ${hasSeat ? step('now', hotel, asking) : step('next', hotel, next)}
    </ol>`;
}

function actions(order: Order, { offer, now }: LiveOrderState, { result }: Texts): Html | '' {
  switch (order.status) {
    case 'queued':
      return markup`
        <p class="reassurance">${result.keepPosition}</p>
        ${confirmed(order, result, now)}`;
    case 'held':
    case 'cancelling':
      return markup`<p class="reassurance">${result.carryOn}</p>`;
    case 'payable':
      return markup`
        <div class="pay" data-over="${isOverdue(order, now) ? 'yes' : ''}">
          <a class="button primary" id="pay" href="${order.payment?.url ?? ''}" rel="nofollow">${result.payNow}</a>
          <p class="reassurance time-over">${result.timeOver}</p>
        </div>
        ${confirmed(order, result, now)}`;
    case 'confirmed':
      return markup`
        <div class="choices">
          <button class="button primary needs-script" type="button" data-print id="print">${result.print}</button>
          <a class="button quiet" href="/order">${result.bookAnother}</a>
          <a class="button quiet" href="#find-again">${result.findIt}</a>
        </div>
        ${confirmed(order, result, now)}`;
    case 'rejected':
      return otherTrips(result);
    case 'compensating':
    case 'failed':
      return again(result, unpaid.has(order.reason) ? result.orderAgain : result.tryAgain, offer);
    case 'withdrawn':
    case 'cancelled':
      return again(result, result.orderAgain, offer);
  }
}

function again(texts: Texts['result'], label: string, offer: TripOffer = 'open'): Html {
  if (offer === 'open') {
    return markup`
      <button class="button primary" type="submit" form="again" data-busy="${texts.placingOrder}" id="try-again">${label}</button>
      <a class="button quiet" href="/order">${texts.otherTrips}</a>`;
  }
  return markup`
    <p class="reassurance">${offer === 'sold_out' ? texts.soldOutSince : texts.notOnSale}</p>
    ${otherTrips(texts)}`;
}

function otherTrips({ seeOtherTrips }: Texts['result']): Html {
  return markup`<a class="button primary" href="/order" id="other-trips">${seeOtherTrips}</a>`;
}

interface Confirmation {
  readonly label: string;
  readonly effect: string;
  readonly yes: string;
  readonly no: string;
}

/** The confirmation for leaving the queue or cancelling; undefined in other statuses, and after the trip. */
export function givingUp(order: Order, texts: Texts['result'], now: number): Confirmation | undefined {
  const { status } = order;
  if (status === 'queued') return texts.leaving;
  if (status === 'payable') return texts.notPaying;
  return status === 'confirmed' && !isTripOver(order, now) ? texts.cancelling : undefined;
}

/**
 * A button that opens a confirmation, which explains the effect and stays open during live updates. Without JavaScript
 * the confirmation is outside of the fragment, because the page of a queued order reloads every few seconds, which
 * would close it.
 */
function confirmed(order: Order, texts: Texts['result'], now: number): Html {
  const step = givingUp(order, texts, now);
  if (step === undefined) return markup``;
  const look = order.status === 'confirmed' ? 'plain' : 'quiet';
  return markup`
    <details class="confirm keep needs-script" id="confirm-${order.status}">
      <summary class="button ${look}">${step.label}</summary>
      ${confirmBody(step, texts)}
    </details>`;
}

/** @param back the link of the `no` button. With JavaScript the confirmation only closes. */
export function confirmBody(
  { effect, yes, no }: Confirmation,
  { oneMoment }: Texts['result'],
  back = '#main',
): Html {
  return markup`
    <div class="confirm-body">
      <p>${effect}</p>
      <div class="choices">
        <button class="button danger" type="submit" form="cancel" data-busy="${oneMoment}">${yes}</button>
        <a class="button quiet" href="${back}" data-keep>${no}</a>
      </div>
    </div>`;
}

interface Fact {
  /** The end of the copy button's id. */
  readonly id: string;
  readonly label: string;
  readonly number: string | undefined;
  /** The order, if its number may be missing or invalid. */
  readonly order?: Order;
}

/** A number with its copy button. Its row always exists, so nothing moves when the number arrives. */
function fact(texts: Texts['facts'], { id, label, number, order }: Fact): Html {
  const missing = order === undefined ? undefined : missingWords(number, order, texts);
  const value =
    missing === undefined
      ? markup`<dd><code>${number}</code><button class="copy" id="copy-${id}" type="button" data-copy="${number}"
          aria-label="${texts.copyLabel(label)}">${texts.copy}</button></dd>`
      : markup`<dd class="fact-none">${missing}</dd>`;
  return markup`<div class="fact fact-number"><dt>${label}</dt>${value}</div>`;
}

/** The night, and once the trip is booked a button that saves the trip as a calendar file. */
function night({ status, package: { stay } }: Order, { facts, formats }: Texts): Html {
  const save =
    status === 'confirmed'
      ? markup`<button class="copy" id="save-to-calendar" type="submit" form="calendar">${facts.addToCalendar}</button>`
      : '';
  return markup`<div class="fact fact-number"><dt>${facts.night}</dt><dd>${formats.night(stay)}${save}</dd></div>`;
}

/** The text in place of a missing or invalid number; undefined if the number is valid. */
function missingWords(number: string | undefined, order: Order, texts: Texts['facts']): string | undefined {
  const hasEnded = hasOutcome(order) && order.status !== 'confirmed';
  if (number === undefined) return hasEnded ? texts.none : texts.notYet;
  return hasEnded ? texts.givenBack : undefined;
}
