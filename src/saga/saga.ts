import type { SagaResult } from '../domain/messages.ts';
import type { Order, OrderReason, TimelineEntry, TimelineEvent } from '../domain/order.ts';
import type { Clock } from '../lib/clock.ts';
import type { SupplierAnswer, SupplierKind, Suppliers, UnknownAnswer } from '../suppliers/suppliers.ts';

export interface SagaOptions {
  readonly suppliers: Suppliers;
  readonly clock: Clock;
  /** Aborts when the activation ends. The saga then stops at its next step and reports nothing more. */
  readonly signal: AbortSignal;
  readonly report: (result: SagaResult, events: readonly TimelineEntry[]) => void;
}

/** If the hotel takes longer than this, the reserved flight is reported as progress. */
const progressAfterMs = 250;
const clearFirstMs = 100;
const clearMaxMs = 2_000;

/**
 * Books a held order: the flight, then the hotel with the flight's ticket number. After a crash or takeover it runs
 * again. The order's id is the key at the suppliers, so existing reservations are found again.
 *
 * It never cancels anything. It reports `needsCompensation`, and only the commit of that starts {@link compensateOrder}
 * (rule Q9).
 */
export async function bookOrder(order: Order, options: SagaOptions): Promise<void> {
  const steps = new Steps(options);
  const { id: key, packageId, email } = order;
  const { flight, stay } = order.package;
  const ticket = await options.suppliers.reserveFlight({ key, packageId, flight, email }, options.signal);
  const ticketNumber = steps.note('flight', ticket);
  if (ticketNumber === undefined) return steps.giveUp(ticket, 'flight_unavailable');

  const shown = steps.showProgress(ticketNumber);
  const room = await options.suppliers.reserveHotel(
    { key, packageId, stay, email, flightTicketNumber: ticketNumber },
    options.signal,
  );
  shown.abort('answered');
  const reservationNumber = steps.note('hotel', room);
  if (reservationNumber === undefined) return steps.giveUp(room, 'hotel_unavailable', ticketNumber);
  steps.report({ kind: 'booked', ticketNumber, reservationNumber });
}

/**
 * Cancels the reservations with the order's key at both suppliers, and retries until both have confirmed. Always at
 * both, because a cancellation that finds nothing prevents a later reservation with the same key (rule Q8).
 */
export async function compensateOrder(order: Order, options: SagaOptions): Promise<void> {
  const steps = new Steps(options);
  await Promise.all([
    cancelUntilDone('hotels', order.id, options).then(() => steps.noteCancelled(order, 'hotel')),
    cancelUntilDone('flights', order.id, options).then(() => steps.noteCancelled(order, 'flight')),
  ]);
  steps.report({ kind: 'compensated' });
}

async function cancelUntilDone(kind: SupplierKind, key: string, options: SagaOptions): Promise<void> {
  const { suppliers, clock, signal } = options;
  for (let pauseMs = clearFirstMs; !signal.aborted; pauseMs = Math.min(pauseMs * 2, clearMaxMs)) {
    if (await suppliers.cancel(kind, key, signal)) return;
    await clock.sleep(pauseMs, signal);
  }
}

class Steps {
  readonly #options: SagaOptions;
  readonly #events: TimelineEntry[] = [];

  constructor(options: SagaOptions) {
    this.#options = options;
  }

  /** Notes a supplier's answer for the timeline; returns the reservation's number, if there is one. */
  note(what: 'flight' | 'hotel', answer: SupplierAnswer | UnknownAnswer): string | undefined {
    if (answer.kind === 'reserved') this.#note(`${what} reserved`, answer.number);
    else if (answer.kind === 'refused') this.#note(`${what} refused`);
    else this.#note(`${what} unknown`);
    return answer.kind === 'reserved' ? answer.number : undefined;
  }

  noteCancelled(order: Order, what: 'flight' | 'hotel'): void {
    const mayExist = ({ event }: TimelineEntry) =>
      event === `${what} reserved` || event === `${what} unknown`;
    if (order.timeline.some(mayExist)) this.#note(`${what} cancelled`);
  }

  showProgress(ticketNumber: string): AbortController {
    const { clock } = this.#options;
    const shown = new AbortController();
    const show = async () => {
      await clock.sleep(progressAfterMs, shown.signal);
      if (!shown.signal.aborted) this.report({ kind: 'progress', ticketNumber });
    };
    void show();
    return shown;
  }

  /** Only a refused flight leaves nothing to cancel. After anything else, a reservation may exist. */
  giveUp(answer: SupplierAnswer | UnknownAnswer, refused: OrderReason, ticketNumber?: string): void {
    if (answer.kind === 'unknown') return this.#needsCompensation('supplier_silent', ticketNumber);
    const code = answer.kind === 'refused' ? answer.code : undefined;
    const reason = code === 'invalid_ticket' ? code : refused;
    if (ticketNumber === undefined && code === 'flight_unavailable')
      return this.report({ kind: 'refused', reason });
    this.#needsCompensation(reason, ticketNumber);
  }

  report(result: SagaResult): void {
    if (!this.#options.signal.aborted) this.#options.report(result, [...this.#events]);
  }

  #needsCompensation(reason: OrderReason, ticketNumber: string | undefined): void {
    this.report({
      kind: 'needsCompensation',
      reason,
      ...(ticketNumber === undefined ? {} : { ticketNumber }),
    });
  }

  #note(event: TimelineEvent, detail?: string): void {
    const at = this.#options.clock.now();
    this.#events.push(detail === undefined ? { at, event } : { at, event, detail });
  }
}
