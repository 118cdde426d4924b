import type { SagaResult } from '../domain/messages.ts';
import {
  mayHave,
  type Order,
  type OrderReason,
  type Payment,
  type Reserved,
  type TimelineEntry,
  type TimelineEvent,
} from '../domain/order.ts';
import { Abort, type AbortState } from '../lib/abort.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { startTimer } from '../lib/deadline.ts';
import type { CallOutcome, PartnerKind, Suppliers } from '../suppliers/suppliers.ts';

export interface SagaOptions {
  readonly suppliers: Suppliers;
  readonly clock: Clock;
  /** Aborts when the activation ends. The saga then stops at its next step and reports nothing more. */
  readonly signal: AbortState;
  readonly report: (result: SagaResult, events: readonly TimelineEntry[]) => void;
  /**
   * Whether no other saga can have called the suppliers for this order. Only then can a refusal prove that there is no
   * reservation. Default: false, because a resumed saga does not know what its predecessor has sent.
   */
  readonly isFirst?: boolean;
  /** Whether an operator has asked for this saga, so that its calls go before others; default false. */
  readonly isUrgent?: boolean;
  /** Asks for a look-up of the payment at once. */
  readonly wake?: Wake;
  /** Shared by all sagas of the process. */
  readonly pacing: SagaPacing;
}

/** If the hotel takes longer than this, in ms, the reserved flight is reported as progress. */
const progressAfterMs = 250;
/** The pauses between look-ups of a payment. The provider's events make most of these look-ups unnecessary. */
const lookUpPauses = { firstMs: 1_000, maxMs: 30_000 };
/** The least time between the beginnings of look-ups that were asked for, because anybody with an order may ask. */
const askedLookUpMs = 500;
const clearFirstMs = 100;
const clearMaxMs = 2_000;
/** Repeated cancels of all packages together, per second. */
const repeatedPerS = 500;
/** Repeated look-ups of payments of all packages together, per second. Those that somebody asks for come on top. */
const lookUpsPerS = 200;

/**
 * Books a held order: the flight, then the hotel with the flight's ticket number, then the payment if the order has to be
 * paid. After a crash or takeover the booking
 * runs again. The order's id is the key at the suppliers, so the second run finds the reservations of the first.
 *
 * The booking never cancels anything. It reports `needsCompensation`, and only the commit of this report starts {@link
 * compensateOrder} (rule Q9).
 */
export async function bookOrder(order: Order, options: SagaOptions): Promise<void> {
  const steps = new Steps(options);
  const { id: key, packageId, email } = order;
  const { flight, stay } = order.package;
  const { suppliers, signal, isUrgent } = options;
  const ticket = await suppliers.reserveFlight({ key, packageId, flight, email }, signal, isUrgent);
  if (signal.aborted) return;
  const ticketNumber = steps.note('flight', ticket);
  if (ticketNumber === undefined) return steps.giveUp(ticket, 'flight_unavailable', {});

  const withFlight = { flight: { ticketNumber } };
  const cancelProgress = steps.showProgressLater(withFlight);
  const room = await suppliers.reserveHotel(
    { key, packageId, stay, email, flightTicketNumber: ticketNumber },
    signal,
    isUrgent,
  );
  cancelProgress();
  const reservationNumber = steps.note('hotel', room);
  if (reservationNumber === undefined) return steps.giveUp(room, 'hotel_unavailable', withFlight);
  const reserved = { ...withFlight, hotel: { reservationNumber } };
  if (order.payment === undefined) return steps.report({ kind: 'booked', reserved });
  await requestPayment(order, order.payment, reserved, steps, options);
}

async function requestPayment(
  { id: key, packageId, email }: Order,
  { amount, currency, provider }: Payment,
  reserved: Required<Reserved>,
  steps: Steps,
  { suppliers, signal, isUrgent }: SagaOptions,
): Promise<void> {
  const request = { key, packageId, email, amount, currency, provider };
  const page = await suppliers.requestPayment(request, signal, isUrgent);
  const url = steps.note('payment', page);
  if (url === undefined) return steps.giveUp(page, 'payment_refused', reserved);
  steps.report({ kind: 'paymentDue', reserved, url });
}

/**
 * Waits until a payable order is paid, is declined, or has expired. Only the provider's ledger counts. An event of the
 * provider only wakes this saga, which then looks the payment up at once.
 *
 * While the provider does not answer, the order stays payable, also after its time: it may be paid, and its payment could
 * not be cancelled either. The same holds while another provider is configured than the one that has the payment. A
 * payment that comes after the expiry is refunded, because the compensation cancels it (rule Q11).
 */
export async function awaitPayment(order: Order, options: SagaOptions): Promise<void> {
  const { suppliers, clock, signal, pacing, wake = new Wake() } = options;
  let { isUrgent = false } = options;
  const { id: key, packageId, payment } = order;
  if (payment?.payBy === undefined) throw new Error('the order is payable, but has no payment');
  const { amount, currency, provider, payBy } = payment;
  const steps = new Steps(options);
  for (let lookUps = 1; !signal.aborted; lookUps++) {
    // The time is read first, so that the last look-up begins after the expiry.
    const isExpired = clock.now() >= payBy;
    const begunAt = clock.monotonic();
    const lookUp = { key, packageId, amount, currency, provider };
    const found = await suppliers.findPayment(lookUp, signal, isUrgent);
    if (found === 'paid') return steps.end('paid', { kind: 'paid' });
    if (found === 'declined')
      return steps.end('payment declined', { kind: 'unpaid', reason: 'payment_declined' });
    const isVoid = found === 'cancelled' || found === 'refunded';
    if (isVoid || (isExpired && found !== 'unknown'))
      return steps.end('payment expired', { kind: 'unpaid', reason: 'payment_expired' });
    const pauseMs = backoffMs(lookUps, lookUpPauses);
    isUrgent = await pacing.lookUps.during(packageId, (paceMs) => {
      const leftMs = payBy - clock.now();
      const pacedMs = Math.max(pauseMs, paceMs);
      return wake.pause(leftMs > 0 ? Math.min(pacedMs, leftMs) : pacedMs, clock, signal);
    });
    if (!isUrgent) continue;
    lookUps = 0;
    const restMs = begunAt + askedLookUpMs - clock.monotonic();
    if (restMs > 0) await clock.sleep(restMs, signal);
  }
}

/**
 * Ends the pause of a saga that waits. It never ends a call, so a saga that is asked again and again still gets its
 * answers.
 */
export class Wake {
  #isAsked = false;
  #pause: Abort | undefined;

  ask(): void {
    this.#isAsked = true;
    this.#pause?.abort();
  }

  /** Pauses until it is asked for, which may have happened since the last pause. Returns whether it was. */
  async pause(ms: number, clock: Clock, signal: AbortState): Promise<boolean> {
    if (!this.#isAsked) {
      const pause = new Abort();
      const end = () => pause.abort();
      if (signal.aborted) return false;
      signal.addEventListener('abort', end, { once: true });
      this.#pause = pause;
      await clock.sleep(ms, pause);
      this.#pause = undefined;
      signal.removeEventListener('abort', end);
    }
    const wasAsked = this.#isAsked;
    this.#isAsked = false;
    return wasAsked;
  }
}

/**
 * Cancels the reservations with the order's key at both suppliers, and the payment of an order that has one, and retries
 * until all have confirmed. Always cancels at all of them, because a cancellation that finds nothing prevents a later
 * reservation or payment with the same key (rules Q8, Q11).
 */
export async function compensateOrder(order: Order, options: SagaOptions): Promise<void> {
  const steps = new Steps(options);
  await Promise.all([
    cancelUntilDone('hotels', order, options).then(() => steps.noteCancelled(order, 'hotel')),
    cancelUntilDone('flights', order, options).then(() => steps.noteCancelled(order, 'flight')),
    order.payment &&
      cancelUntilDone('payments', order, options).then(() => steps.noteCancelled(order, 'payment')),
  ]);
  steps.report({ kind: 'compensated' });
}

async function cancelUntilDone(kind: PartnerKind, order: Order, options: SagaOptions): Promise<void> {
  const { suppliers, pacing, clock, signal } = options;
  const { id: key, packageId, payment } = order;
  const request = { key, packageId, provider: payment?.provider };
  for (let failures = 0; !signal.aborted; failures++) {
    const isUrgent = options.isUrgent === true && failures === 0;
    if (await suppliers.cancel(kind, request, signal, isUrgent)) return;
    await pacing.cancels.during(packageId, (paceMs) => {
      const pauseMs = Math.min(clearFirstMs * 2 ** failures, clearMaxMs);
      return clock.sleep(Math.max(pauseMs, paceMs), signal);
    });
  }
}

/**
 * Spreads the repeated calls of this process, so that they take a bounded share of it, and do not come in step. No
 * package makes the calls of another one wait longer than if each had the same share.
 */
export class Pacing {
  readonly #perS: number;
  /** Calls that wait to be repeated, by package. */
  readonly #waiting = new Map<number, number>();
  #total = 0;

  /** @param perS repeated calls of all packages together, per second. */
  constructor(perS: number) {
    this.#perS = perS;
  }

  /**
   * Runs the pause before a call of this package is repeated. Returns its result.
   * @param pause gets the least length of the pause, in ms.
   */
  async during<T>(packageId: number, pause: (paceMs: number) => Promise<T>): Promise<T> {
    const waiting = (this.#waiting.get(packageId) ?? 0) + 1;
    this.#waiting.set(packageId, waiting);
    this.#total += 1;
    // Where most packages repeat little, the others may use what is left.
    const before = Math.min(waiting * this.#waiting.size, this.#total);
    const result = await pause((before * 1_000) / this.#perS);
    this.#total -= 1;
    const others = (this.#waiting.get(packageId) ?? 1) - 1;
    if (others === 0) this.#waiting.delete(packageId);
    else this.#waiting.set(packageId, others);
    return result;
  }
}

/** The pacing of the calls that the sagas of a process repeat. */
export class SagaPacing {
  readonly cancels = new Pacing(repeatedPerS);
  readonly lookUps = new Pacing(lookUpsPerS);
}

type BookingStep = 'flight' | 'hotel' | 'payment';

class Steps {
  readonly #options: SagaOptions;
  readonly #events: TimelineEntry[] = [];

  constructor(options: SagaOptions) {
    this.#options = options;
  }

  /**
   * Notes an answer for the timeline; returns the reservation's number or the payment's address, if there is one. The
   * commit itself notes that a payment is due.
   */
  note(what: BookingStep, answer: CallOutcome): string | undefined {
    if (answer.kind === 'unknown' || this.#isDoubtful(answer)) this.#note(`${what} unknown`);
    if (answer.kind === 'reserved' && what !== 'payment') this.#note(`${what} reserved`, answer.number);
    if (answer.kind === 'refused') this.#note(`${what} refused`);
    return answer.kind === 'reserved' ? answer.number : undefined;
  }

  noteCancelled(order: Order, what: BookingStep): void {
    if (mayHave(what, order)) this.#note(`${what} cancelled`);
  }

  /** Reports the result together with its event. */
  end(event: TimelineEvent, result: SagaResult): void {
    this.#note(event);
    this.report(result);
  }

  /** Reports the progress after a while, unless the returned function is called before. */
  showProgressLater(reserved: Reserved): () => void {
    const { clock } = this.#options;
    return startTimer(progressAfterMs, clock, () => this.report({ kind: 'progress', reserved }));
  }

  /**
   * Reports that the booking failed. Only if the first attempt at the flight was refused is there nothing to cancel. In
   * all other cases a reservation may exist (rule Q8).
   */
  giveUp(answer: CallOutcome, refused: OrderReason, reserved: Reserved): void {
    if (answer.kind === 'unknown')
      return this.report({ kind: 'needsCompensation', reason: 'supplier_silent', reserved });
    const code = answer.kind === 'refused' ? answer.code : undefined;
    const reason = code === 'invalid_ticket' ? code : refused;
    if (reserved.flight === undefined && code === 'flight_unavailable' && !this.#isDoubtful(answer))
      return this.report({ kind: 'refused', reason });
    this.report({ kind: 'needsCompensation', reason, reserved });
  }

  report(result: SagaResult): void {
    if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
  }

  /** Whether it is a refusal after an attempt, of this saga or another one, that may still have reserved. */
  #isDoubtful(answer: CallOutcome): boolean {
    const isFirst = this.#options.isFirst === true;
    return answer.kind === 'refused' && (!isFirst || answer.afterUnknown === true);
  }

  #note(event: TimelineEvent, detail?: string): void {
    const at = this.#options.clock.now();
    this.#events.push(detail === undefined ? { at, event } : { at, event, detail });
  }
}
