import type { FindingsCollector } from './findings.ts';
import { leadsTo, statuses } from './life-cycle.ts';
import { nameOf, type Orders, type OrderTrace } from './orders.ts';

/** Checks each order against the requests for the order (rules Q2, Q6, Q7). */
export function checkOutcomes(orders: Orders, collector: FindingsCollector): void {
  for (const trace of orders.all()) {
    checkUnits(trace, collector);
    checkCancellation(trace, collector);
    checkRefusals(trace, collector);
    checkSightings(trace, collector);
    if (trace.firstSeenAt !== undefined) collector.count('orders that were shown');
    if (trace.asked > 1) collector.count('orders with repeated purchases');
  }
}

/** Rule Q2: a unit is claimed before a supplier is called, and returned once, by the commit that ends the order. */
function checkUnits({ order }: OrderTrace, collector: FindingsCollector): void {
  const events = order.timeline.map(({ event }) => event);
  const supplier = events.findIndex((event) => /^(flight|hotel|payment) /.test(event));
  const claimed = events.indexOf('claimed');
  if (supplier >= 0 && (claimed < 0 || claimed > supplier))
    collector.violation(
      'Q2',
      `${nameOf(order)} was at a supplier before it had a unit: ${events.join(', ')}`,
    );
  const count = (wanted: string) => events.filter((event) => event === wanted).length;
  const hasEnded = order.status === 'failed' || order.status === 'cancelled';
  if (count('released') !== (hasEnded ? 1 : 0))
    collector.violation('Q2', `${nameOf(order)} is ${order.status} and gave back ${count('released')} units`);
  if (count('claimed') > 1 || (count('claimed') === 0 && leadsTo('held', order.status)))
    collector.violation('Q2', `${nameOf(order)} is ${order.status} and claimed ${count('claimed')} units`);
}

/** An order is cancelled only on request, and an accepted cancellation is carried out. */
function checkCancellation(trace: OrderTrace, collector: FindingsCollector): void {
  const { order, isCancelAsked, isCancelled, isAccepted } = trace;
  const { status } = order;
  const isAbandoned = order.reason === 'payment_abandoned';
  if (isCancelled && !isAbandoned && !['cancelling', 'cancelled', 'withdrawn'].includes(status))
    collector.violation('Q6', `${nameOf(order)} is ${status}, although its cancellation was accepted`);
  if (isCancelAsked) return;
  // A buyer who hangs up leaves the queue, unless a key allows a retry.
  const mayHaveHungUp = order.key === undefined && !isAccepted;
  const isLeft = status === 'withdrawn' && !mayHaveHungUp;
  if (status === 'cancelling' || status === 'cancelled' || isAbandoned || isLeft)
    collector.violation('Q6', `${nameOf(order)} is ${status}, although no cancellation was requested`);
}

/** Rule Q7: a key with an order is always answered with this order, and a refused purchase stores no order. */
function checkRefusals(
  { order, asked, askedInDoubt, knownAt, refusedAt }: OrderTrace,
  collector: FindingsCollector,
): void {
  if (order.key === undefined) return;
  if (asked === 0) collector.violation('Q7', `${nameOf(order)} is stored without a purchase`);
  else if (askedInDoubt === 0)
    collector.violation(
      'Q7',
      `${nameOf(order)} is stored although each of its ${asked} purchases was refused`,
    );
  if (refusedAt > knownAt)
    collector.violation(
      'Q7',
      `${nameOf(order)} was answered at ${knownAt}, and its key was refused at ${refusedAt}`,
    );
}

/** Rule Q6: later requests find an order that was shown before, and its status never goes back in the life cycle. */
function checkSightings(
  { order, knownAt, missedAt, inProgressAt, firstSeenAt, lastAskedAt }: OrderTrace,
  collector: FindingsCollector,
): void {
  if (missedAt > knownAt)
    collector.violation(
      'Q6',
      `${nameOf(order)} was known at ${knownAt}, and not found by a request sent at ${missedAt}`,
    );
  if (firstSeenAt === undefined || lastAskedAt === undefined) return;
  for (const [before, early] of firstSeenAt.entries()) {
    const hasBeenBooked = !['queued', 'held', 'payable', 'compensating'].includes(statuses[before] as string);
    if (hasBeenBooked && inProgressAt > early)
      collector.violation(
        'Q6',
        `${nameOf(order)} was ${statuses[before]} at ${early}, and in progress for a cancellation sent at ${inProgressAt}`,
      );
    for (const [after, late] of lastAskedAt.entries()) {
      if (late <= early || leadsTo(statuses[before] as string, statuses[after] as string)) continue;
      const [was, became] = [statuses[before], statuses[after]];
      collector.violation(
        'Q6',
        `${nameOf(order)} was ${was} at ${early}, and ${became} for a request sent at ${late}`,
      );
    }
  }
}
