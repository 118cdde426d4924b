import type { PaymentRules } from '../../src/domain/decide.ts';
import { drawPaymentFaults, type PaymentRates } from './faults.ts';
import { Prng } from './prng.ts';
import type { Sale } from './sale.ts';

/** What a buyer does with a payment. */
export type Plan =
  | 'does nothing'
  | 'pays'
  | 'pays twice'
  /** Before the provider has answered the request for the payment. */
  | 'pays at once'
  /** When the unit is about to go to the next order, or has just gone. */
  | 'pays at the last moment'
  | 'pays too late'
  /** While the package's next owner takes over. */
  | 'pays in a takeover'
  | 'pays, and the provider says that it was declined'
  | 'is declined'
  | 'is declined, and pays then'
  | 'cancels'
  | 'cancels and pays';

/** A third does nothing. */
const plans: readonly Plan[] = [
  ...Array<Plan>(7).fill('does nothing'),
  ...Array<Plan>(3).fill('pays'),
  ...Array<Plan>(2).fill('pays at once'),
  'pays twice',
  'pays at the last moment',
  'pays too late',
  'pays in a takeover',
  'pays, and the provider says that it was declined',
  'is declined',
  'is declined, and pays then',
  'cancels',
  'cancels and pays',
];

/** How long a payment is due, in ms: from less than one look-up to several pauses between look-ups. */
const windowsMs = [400, 3_000, 10_000, 20_000];
const currency = 'EUR';
const minorPerUnit = 100;

/** The payments of a seed that has them, and what their buyers do. Draws from random numbers of its own. */
export class PaymentSale {
  readonly prng: Prng;
  readonly faults: PaymentRates;
  readonly rules: PaymentRules;
  /** Whether the provider shows the amount of a payment. One that never asks for another amount need not. */
  readonly showsAmounts: boolean;

  constructor(prng: Prng) {
    this.prng = prng;
    this.faults = drawPaymentFaults(prng);
    this.rules = { provider: 'simulated', currency, minorPerUnit, windowMs: prng.pick(windowsMs) };
    this.showsAmounts = this.faults.paymentOtherAmount > 0 || prng.chance(0.5);
  }

  /** The same sale, in which some packages cost nothing. */
  sale(drawn: Sale): Sale {
    const packages = drawn.packages.map((each) => (this.prng.chance(0.1) ? { ...each, price: 0 } : each));
    return { ...drawn, packages };
  }

  plan(): Plan {
    return this.prng.pick(plans);
  }

  toJSON(): object {
    return { faults: this.faults, rules: this.rules, showsAmounts: this.showsAmounts };
  }
}

/** The payments of a seed; undefined for most seeds, which run as if there were no payments at all. */
export function paymentSale(seed: number): PaymentSale | undefined {
  const prng = new Prng(seed ^ 0x517c_c1b7);
  return prng.chance(0.3) ? new PaymentSale(prng) : undefined;
}
