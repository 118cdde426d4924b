import type { Clock } from '../lib/clock.ts';
import type { Page } from '../lib/page.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import {
  type LedgerPayment,
  type PaymentClient,
  type PaymentEntry,
  type PaymentLedger,
  type PaymentMove,
  type PaymentProvider,
  type PaymentState,
  paymentMoves,
  type RequestedPayment,
  type SupplierAnswer,
} from './suppliers.ts';

export interface PaymentSimulationOptions {
  readonly ledger: PaymentLedger;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Log;
  /** How often a payment is paid by itself, from 0 to 1. */
  readonly payRate: number;
  /** How often a payment is declined by itself, from 0 to 1. All others wait for their buyer at the page. */
  readonly declineRate: number;
  /** How long a request takes, and how long a payment that is paid or declined by itself is due, in ms. */
  readonly latencyMs: number;
  /** Tells the shop that a payment has changed. Its failures are logged. Absent: the shop has to look payments up. */
  readonly sendEvent?: ((payment: PaymentEntry) => Promise<void>) | undefined;
}

/** The path of a payment's page at the simulated provider. */
export function checkoutPath(number: string): string {
  return `/checkout/${number}`;
}

/** The number of random bytes in the address of a payment's page. Whoever knows it may pay. */
const numberBytes = 16;
const pageSize = 500;

/**
 * A payment provider without money. It keeps its word in a ledger: a key has one payment, and a cancel is final. Buyers
 * pay or decline at a page, or the provider draws lots for them.
 */
export class SimulatedPayments implements PaymentProvider {
  readonly #options: PaymentSimulationOptions;

  constructor(options: PaymentSimulationOptions) {
    this.#options = options;
  }

  async request({ key, ...asked }: RequestedPayment, origin: string): Promise<SupplierAnswer> {
    const { ledger, random, clock, latencyMs } = this.#options;
    if (latencyMs > 0) await clock.sleep(latencyMs);
    const number = Buffer.from(random.bytes(numberBytes)).toString('base64url');
    const entry = await ledger.record({ key, ...asked, number, status: 'due' });
    if (entry.status === 'cancelled' || entry.status === 'refunded')
      return { kind: 'refused', code: 'cancelled' };
    if (entry.number === number) void this.#drawLot(entry);
    return { kind: 'reserved', number: origin + checkoutPath(entry.number) };
  }

  async find(key: string): Promise<PaymentState | undefined> {
    const found = await this.#options.ledger.find(key);
    return found && { status: found.status, amount: found.amount, currency: found.currency };
  }

  async cancel(key: string): Promise<void> {
    await this.#move(key, 'cancel');
  }

  async page(cursor?: string): Promise<Page<LedgerPayment>> {
    const { items, next } = await this.#options.ledger.page(cursor, pageSize);
    const payments = items.map(({ key, status, amount, currency }) => ({ key, status, amount, currency }));
    return next === undefined ? { items: payments } : { items: payments, next };
  }

  checkout(number: string): Promise<PaymentEntry | undefined> {
    return this.#options.ledger.findByNumber(number);
  }

  async act(number: string, move: Exclude<PaymentMove, 'cancel'>): Promise<PaymentEntry | undefined> {
    const payment = await this.checkout(number);
    return payment && this.#move(payment.key, move);
  }

  async #move(key: string, move: PaymentMove): Promise<PaymentEntry | undefined> {
    const moved = await this.#options.ledger.move(key, move);
    const moves: readonly string[] = Object.values(paymentMoves[move]);
    // A repeated move sends its event again, as real providers do.
    if (moved !== undefined && moved.number !== '' && moves.includes(moved.status)) void this.#tell(moved);
    return moved;
  }

  async #tell(payment: PaymentEntry): Promise<void> {
    const { sendEvent, log } = this.#options;
    try {
      await sendEvent?.(payment);
    } catch (err) {
      log.warn(
        { orderId: payment.key, err },
        'An event of the simulated payment provider was not delivered.',
      );
    }
  }

  /** Pays or declines the payment by itself, or leaves it to its buyer. */
  async #drawLot({ key }: PaymentEntry): Promise<void> {
    const { random, clock, payRate, declineRate, latencyMs, log } = this.#options;
    const lot = random.fraction();
    if (lot >= payRate + declineRate) return;
    try {
      await clock.sleep(latencyMs);
      await this.#move(key, lot < payRate ? 'pay' : 'decline');
    } catch (err) {
      log.warn({ orderId: key, err }, 'The simulated payment provider could not settle a payment.');
    }
  }
}

/** The client of a simulated provider in the same process. */
export function simulatedPaymentClient(
  provider: PaymentProvider,
  addresses: {
    /** The origin of the payments' pages. */
    readonly origin: () => string;
    /** The address of an order's page. */
    readonly returnUrl: (orderId: string) => string;
  },
): PaymentClient {
  return {
    provider: 'simulated',
    async requestPayment({ key, amount, currency }, signal) {
      signal?.throwIfAborted();
      const request = { key, amount, currency, returnUrl: addresses.returnUrl(key) };
      return provider.request(request, addresses.origin());
    },
    payment: (key) => provider.find(key),
    cancelPayment: (key) => provider.cancel(key),
    payments: (cursor) => provider.page(cursor),
  };
}
