import type {
  Amount,
  PaymentClient,
  PaymentState,
  PaymentStatus,
  SupplierAnswer,
} from '../../src/suppliers/suppliers.ts';
import { late, type PartnerOutage, simAttempts, twice } from './attempts.ts';
import type { IsolationChecks } from './isolation-checks.ts';
import type { SimHost, World } from './world.ts';

/** A payment in the provider's ledger. */
export interface SimPayment extends Amount {
  readonly key: string;
  /** Where the buyer pays; empty if the payment was cancelled before it was requested. */
  readonly url: string;
  status: PaymentStatus;
  /** When the buyer paid first, in simulated time. */
  paidAt: number | undefined;
}

/** How long refunds of a key fail, in ms. */
const stuckMs = [2_000, 10_000, 30_000];

/**
 * The payment provider. A key has one payment, and a cancel is final: whoever pays later gets the money back. Written
 * without the product's own simulated provider, because that may be wrong.
 */
export class PaymentCore {
  readonly ledger = new Map<string, SimPayment>();
  /** Keys whose payments the provider did not accept. */
  readonly refused = new Set<string>();
  /** Called with every request for a payment that a process begins. */
  onAttempt: (host: SimHost, key: string) => void = () => {};
  /** Called with every request for a payment that arrives, before its answer. */
  onRequest: (key: string) => void = () => {};
  onCancel: (key: string) => void = () => {};
  /** Called with every payment that is due, and again when it is paid. */
  onLive: (payment: SimPayment) => void = () => {};
  /** Tells the buyer about a new payment. */
  onDue: (payment: SimPayment) => void = () => {};
  /** Called with every payment that the provider sends an event about. */
  onEvent: (payment: SimPayment) => void = () => {};
  /** Whether the provider fails for this package, until it comes back. Set by the nemesis. */
  outageOf: (packageId: number) => PartnerOutage | undefined = () => undefined;
  readonly #world: World;
  readonly #showsAmounts: boolean;
  /** By key: until when its refunds fail, in simulated time. */
  readonly #stuckUntil = new Map<string, number>();

  /** @param showsAmounts whether look-ups are answered with the amount. */
  constructor(world: World, showsAmounts = true) {
    this.#world = world;
    this.#showsAmounts = showsAmounts;
  }

  request(key: string, { amount, currency }: Amount): SupplierAnswer {
    this.onRequest(key);
    const payment = this.ledger.get(key) ?? this.#record(key, amount, currency);
    if (payment === undefined) return { kind: 'refused', code: 'payment_refused' };
    const isVoid = payment.status === 'cancelled' || payment.status === 'refunded';
    return isVoid ? { kind: 'refused', code: 'cancelled' } : { kind: 'reserved', number: payment.url };
  }

  find(key: string): PaymentState | undefined {
    const payment = this.ledger.get(key);
    if (payment === undefined) return undefined;
    const { status, amount, currency } = payment;
    return this.#showsAmounts ? { status, amount, currency } : { status };
  }

  cancel(key: string): void {
    this.onCancel(key);
    const payment = this.ledger.get(key);
    if (payment === undefined) {
      const nothing = { amount: 0, currency: 'XXX', url: '', paidAt: undefined };
      this.ledger.set(key, { key, ...nothing, status: 'cancelled' });
      return;
    }
    if (payment.status === 'due') payment.status = 'cancelled';
    if (payment.status === 'paid') payment.status = 'refunded';
    if (payment.url !== '') this.onEvent(payment);
  }

  /** The buyer pays. Paying twice changes nothing. */
  pay(payment: SimPayment): void {
    if (payment.status === 'due') {
      payment.status = 'paid';
      payment.paidAt = this.#world.scheduler.now;
      this.onLive(payment);
    } else if (payment.status === 'cancelled') {
      payment.status = 'refunded';
      this.#world.counters.count('paid too late, and refunded');
    }
    this.onEvent(payment);
  }

  /** The buyer's bank declines. */
  decline(payment: SimPayment): void {
    if (payment.status === 'due') payment.status = 'declined';
    this.onEvent(payment);
  }

  /** Whether the refunds of this key fail for a while. */
  isStuck(key: string): boolean {
    const { scheduler, prng, calmMs } = this.#world;
    if (calmMs > 0) return false;
    let until = this.#stuckUntil.get(key);
    if (until === undefined) {
      until = this.#world.strikes('refundStuck') ? scheduler.now + prng.pick(stuckMs) : 0;
      this.#stuckUntil.set(key, until);
    }
    return scheduler.now < until;
  }

  /** Records a new payment; undefined if the provider does not accept it. */
  #record(key: string, asked: number, askedCurrency: string): SimPayment | undefined {
    const world = this.#world;
    if (this.refused.has(key)) return undefined;
    if (world.strikes('paymentRefused')) {
      this.refused.add(key);
      return undefined;
    }
    const isOther = world.strikes('paymentOtherAmount');
    const amount = isOther && world.prng.chance(0.5) ? asked - 1 : asked;
    const currency = isOther && amount === asked ? 'USD' : askedCurrency;
    const url = `https://pay.example/${this.ledger.size}`;
    const payment: SimPayment = { key, amount, currency, url, status: 'due', paidAt: undefined };
    this.ledger.set(key, payment);
    this.onLive(payment);
    this.onDue(payment);
    return payment;
  }
}

/** The provider as one process sees it: single attempts over the simulated network. */
export function simPaymentClient(
  world: World,
  host: SimHost,
  core: PaymentCore,
  isolation: IsolationChecks,
): PaymentClient {
  const attempt = simAttempts(world, host, isolation, (what, key) =>
    what === 'cancel payments' && core.isStuck(key) ? 'fails' : core.outageOf(isolation.packageOf(key)),
  );
  const faults = { replyLost: 'paymentReplyLost', slow: 'paymentSlow' } as const;

  return {
    provider: 'simulated',
    requestPayment({ key, amount, currency }, signal) {
      core.onAttempt(host, key);
      const once = () =>
        twice(world, 'paymentTwice', `again payments ${key}`, () => core.request(key, { amount, currency }));
      const serve = () => late(world, 'paymentLate', `late payments ${key}`, once);
      return attempt('payments', key, signal, { ...faults, lost: 'paymentError', serve });
    },
    payment: (key, signal) =>
      attempt('look-up', key, signal, { ...faults, lost: 'lookUpFails', serve: () => core.find(key) }),
    cancelPayment(key, signal) {
      const serve = () =>
        twice(world, 'paymentTwice', `again cancel payments ${key}`, () => core.cancel(key));
      return attempt('cancel payments', key, signal, { ...faults, lost: 'refundFails', serve });
    },
    payments: () => Promise.reject(new Error('not simulated')),
  };
}
