import type { PurchaseEntry } from '../history.ts';
import { isRefused } from './answers.ts';
import { isErased } from './erasures.ts';
import type { FindingsCollector } from './findings.ts';
import { canonical, type Orders } from './orders.ts';

/**
 * Checks purchases without a key. If such a purchase has no answer, nothing links it to an order. But one package and
 * email cannot have more orders than purchases that were not refused for good, because a message that is delivered
 * twice is stored once (rule Q7).
 */
export class KeylessPurchases {
  /** Stored orders without a known purchase, by package and email. */
  readonly #unasked = new Map<string, number>();

  constructor(orders: Orders) {
    for (const trace of orders.all()) {
      const { order } = trace;
      // Nobody knows whose order it was if its email was erased.
      if (order.key !== undefined || isErased(trace)) continue;
      const name = nameFor(order.packageId, order.email);
      this.#unasked.set(name, (this.#unasked.get(name) ?? 0) + 1);
    }
  }

  see(purchase: PurchaseEntry): void {
    if (isRefused(purchase)) return;
    const name = nameFor(purchase.packageId, purchase.email);
    const unasked = this.#unasked.get(name);
    if (unasked !== undefined) this.#unasked.set(name, unasked - 1);
  }

  check(collector: FindingsCollector): void {
    for (const [name, unasked] of this.#unasked) {
      if (unasked <= 0) continue;
      collector.violation('Q7', `${name}: ${unasked} more orders than purchases that were not refused`);
    }
  }
}

function nameFor(packageId: number, email: string): string {
  return `package ${packageId}, ${canonical(email)}`;
}
