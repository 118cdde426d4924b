import type { Order } from '../../domain/order.ts';
import type { PurchaseOutcome } from '../../observability/metrics.ts';

/** How a purchase was answered, by the order that it was answered with. */
export function purchaseOutcome({ status }: Order): PurchaseOutcome {
  switch (status) {
    case 'confirmed':
      return 'confirmed';
    case 'rejected':
      return 'sold_out';
    case 'compensating':
    case 'failed':
      return 'supplier_failed';
    default:
      return 'accepted';
  }
}
