import type { Notes } from './findings.ts';
import { leadsTo, statuses } from './life-cycle.ts';
import { nameOf, type Orders, type Trace } from './orders.ts';

/** Checks each order against the requests for it (rules Q2, Q6, Q7). */
export function judgeOutcomes(orders: Orders, notes: Notes): void {
  for (const trace of orders.all()) {
    judgeUnits(trace, notes);
    judgeCancel(trace, notes);
    judgeRefusals(trace, notes);
    judgeSightings(trace, notes);
    if (trace.firstSeenAt !== undefined) notes.count('orders that were shown');
    if (trace.asked > 1) notes.count('orders that were asked for again');
  }
}

/** Rule Q2: a unit is claimed before a supplier is called, and returned once, by the commit that ends the order. */
function judgeUnits({ order }: Trace, notes: Notes): void {
  const events = order.timeline.map(({ event }) => event);
  const supplier = events.findIndex((event) => /^(flight|hotel) /.test(event));
  const claimed = events.indexOf('claimed');
  if (supplier >= 0 && (claimed < 0 || claimed > supplier))
    notes.violation('Q2', `${nameOf(order)} was at a supplier before it had a unit: ${events.join(', ')}`);
  const count = (wanted: string) => events.filter((event) => event === wanted).length;
  const hasEnded = order.status === 'failed' || order.status === 'cancelled';
  if (count('released') !== (hasEnded ? 1 : 0))
    notes.violation('Q2', `${nameOf(order)} is ${order.status} and gave back ${count('released')} units`);
  if (count('claimed') > 1 || (count('claimed') === 0 && leadsTo('held', order.status)))
    notes.violation('Q2', `${nameOf(order)} is ${order.status} and claimed ${count('claimed')} units`);
}

/** An order is cancelled only on request, and an accepted cancellation is carried out. */
function judgeCancel(trace: Trace, notes: Notes): void {
  const { order, isCancelAsked, isCancelled, isAccepted } = trace;
  const { status } = order;
  if (isCancelled && !['cancelling', 'cancelled', 'withdrawn'].includes(status))
    notes.violation('Q6', `${nameOf(order)} is ${status}, and its cancel was taken`);
  if (isCancelAsked) return;
  // A buyer who hangs up leaves the queue, unless a key allows a retry.
  const mayHaveHungUp = order.key === undefined && !isAccepted;
  if (status === 'cancelling' || status === 'cancelled' || (status === 'withdrawn' && !mayHaveHungUp))
    notes.violation('Q6', `${nameOf(order)} is ${status}, and nobody asked for that`);
}

/** Rule Q7: a key with an order is always answered with this order, and a refusal stores none. */
function judgeRefusals({ order, asked, askedInDoubt, knownAt, refusedAt }: Trace, notes: Notes): void {
  if (order.key === undefined) return;
  if (asked === 0) notes.violation('Q7', `${nameOf(order)} was bought by nobody`);
  else if (askedInDoubt === 0)
    notes.violation('Q7', `${nameOf(order)} is stored although each of its ${asked} purchases was refused`);
  if (refusedAt > knownAt)
    notes.violation(
      'Q7',
      `${nameOf(order)} was answered at ${knownAt}, and refused to its key at ${refusedAt}`,
    );
}

/** Rule Q6: an order that was shown is found by later requests, and never goes back in its life cycle. */
function judgeSightings(
  { order, knownAt, missedAt, inProgressAt, firstSeenAt, lastAskedAt }: Trace,
  notes: Notes,
): void {
  if (missedAt > knownAt)
    notes.violation(
      'Q6',
      `${nameOf(order)} was known at ${knownAt}, and not found by who asked at ${missedAt}`,
    );
  if (firstSeenAt === undefined || lastAskedAt === undefined) return;
  for (const [before, early] of firstSeenAt.entries()) {
    const hasBeenBooked = !['queued', 'held', 'compensating'].includes(statuses[before] as string);
    if (hasBeenBooked && inProgressAt > early)
      notes.violation(
        'Q6',
        `${nameOf(order)} was ${statuses[before]} at ${early}, and in progress to who cancelled at ${inProgressAt}`,
      );
    for (const [after, late] of lastAskedAt.entries()) {
      if (late <= early || leadsTo(statuses[before] as string, statuses[after] as string)) continue;
      const [was, became] = [statuses[before], statuses[after]];
      notes.violation('Q6', `${nameOf(order)} was ${was} at ${early}, and ${became} to who asked at ${late}`);
    }
  }
}
