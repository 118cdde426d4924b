import type { OrderAccess } from './client.ts';
import type { EraseEntry, HistoryEntry, SeenOrder } from './history.ts';

const final: ReadonlySet<string> = new Set(['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled']);

export function isFinal({ status }: SeenOrder): boolean {
  return final.has(status);
}

/** The orders whose last seen status is not final. After the drain there must be none. */
export class Unfinished {
  readonly #orders = new Map<string, OrderAccess>();
  /** When the request was sent that showed the newest known status. Needed because answers may overtake each other. */
  readonly #askedAt = new Map<string, number>();

  record(entry: HistoryEntry): void {
    if (entry.kind === 'erase') return this.#recordErasure(entry);
    if (!('order' in entry) || entry.order === undefined) return;
    const { order, sentAt } = entry;
    if ((this.#askedAt.get(order.id) ?? 0) > sentAt) return;
    this.#askedAt.set(order.id, sentAt);
    if (isFinal(order)) this.#orders.delete(order.id);
    else this.#orders.set(order.id, { orderId: order.id, email: order.email });
  }

  /**
   * An erasure that leaves no order shows that all orders of the email have ended. Nobody can look them up after it. The last
   * answer may still show one as unfinished: of two requests under way together, the later one may get the older answer.
   */
  #recordErasure({ email, left, sentAt }: EraseEntry): void {
    if (left !== 0) return;
    for (const [id, access] of this.#orders) {
      if (access.email !== email) continue;
      this.#orders.delete(id);
      this.#askedAt.set(id, sentAt);
    }
  }

  get orders(): readonly OrderAccess[] {
    return [...this.#orders.values()];
  }
}
