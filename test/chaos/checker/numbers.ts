import type { FinalState, StoredOrder } from './final-state.ts';
import { timeOf } from './final-state.ts';
import type { FindingsCollector } from './findings.ts';
import { nameOf, type Orders, type OrderTrace } from './orders.ts';

/** How far the machine's clock may have been set back during a run, in ms. All processes read the same clock. */
export const clockToleranceMs = 5;

/** Rule Q5: orders are numbered in the sequence in which they are stored, and get units by their numbers. */
export function checkNumbers({ packages }: FinalState, orders: Orders, collector: FindingsCollector): void {
  for (const { id, nextNumber } of packages) {
    const traces = orders.of(id);
    checkSequence(traces, nextNumber, `package ${id}`, collector);
    checkClaims(traces, collector);
    checkArrivals(traces, collector);
  }
}

/** The numbers of a package's orders must be 1, 2, 3 … without gaps. */
function checkSequence(
  traces: readonly OrderTrace[],
  nextNumber: number,
  name: string,
  collector: FindingsCollector,
): void {
  let last = 0;
  for (const { order } of traces) {
    if (order.number === last)
      collector.violation('Q5', `${nameOf(order)} has a number that was given before`);
    else if (order.number !== last + 1)
      collector.violation('Q5', `${name} has no order with number ${last + 1}, but one with ${order.number}`);
    last = order.number;
  }
  if (nextNumber !== last + 1)
    collector.violation('Q5', `${name} has ${nextNumber} for the next number, after ${last}`);
}

/** No order may get a unit while an order with a lower number is waiting. */
function checkClaims(traces: readonly OrderTrace[], collector: FindingsCollector): void {
  let last: { readonly order: StoredOrder; readonly leftAt: number } | undefined;
  for (const { order } of traces) {
    const claimedAt = timeOf(order, 'claimed');
    if (last !== undefined && claimedAt !== undefined && claimedAt + clockToleranceMs < last.leftAt) {
      const until = last.leftAt === Number.POSITIVE_INFINITY ? 'to the end' : `until ${last.leftAt}`;
      const words = `got a unit at ${claimedAt}, and ${nameOf(last.order)} waited ${until}`;
      collector.violation('Q5', `${nameOf(order)} ${words}`);
    }
    const leftAt = timeOf(order, 'claimed', 'withdrawn', 'sold out') ?? Number.POSITIVE_INFINITY;
    if (last === undefined || leftAt > last.leftAt) last = { order, leftAt };
  }
}

/**
 * An order that was stored before another purchase was sent has the lower number. Only the clients' clock counts. An
 * answer with the one order must have arrived before the first request for the other order was sent.
 */
function checkArrivals(traces: readonly OrderTrace[], collector: FindingsCollector): void {
  let first: OrderTrace | undefined;
  for (const trace of traces.toReversed()) {
    const { order, askedAt, knownAt } = trace;
    if (first !== undefined && askedAt !== Number.POSITIVE_INFINITY && first.knownAt < askedAt) {
      const words = `was first sent at ${askedAt}, when ${nameOf(first.order)} was known since ${first.knownAt}`;
      collector.violation('Q5', `${nameOf(order)} ${words}`);
    }
    if (first === undefined || knownAt < first.knownAt) first = trace;
  }
}
