import type { Change } from '../../domain/change.ts';
import * as to from '../../domain/life-cycle.ts';
import type { SagaResult } from '../../domain/messages.ts';
import type { Order, TimelineEntry } from '../../domain/order.ts';
import type { Figures, PackageSnapshot } from '../../domain/travel-package.ts';

/**
 * What the plans commit: steps of the life in domain/order.ts, each with its move of the figures (see SPEC.md).
 * Pure; each is built on a package's present, and applies only while that lasts.
 */

/** A purchase that is to be stored. */
export interface Wish {
  readonly id: string;
  readonly email: string;
  readonly key?: string;
}

/** A new order that takes a unit at once. */
export function hold(present: PackageSnapshot, wish: Wish, at: number): Change {
  const order = to.claimAtOnce(numbered(present, wish, at), at);
  return stored(present, order, { nextNumber: 1, remaining: -1, held: 1 });
}

/** A new order at the end of the line. */
export function join(present: PackageSnapshot, wish: Wish, at: number): Change {
  return stored(present, to.queue(numbered(present, wish, at), at), { nextNumber: 1, waiting: 1 });
}

/** A queued order takes a unit. */
export function claim(present: PackageSnapshot, order: Order, at: number): Change {
  return changed(present, [to.claim(order, at)], { waiting: -1, remaining: -1, held: 1 });
}

/** Queued orders hear that everything is sold. */
export function reject(present: PackageSnapshot, orders: readonly Order[], at: number): Change {
  const rejected = orders.map((order) => to.reject(order, at));
  return changed(present, rejected, { waiting: -orders.length });
}

/** A queued order leaves the line. */
export function withdraw(present: PackageSnapshot, order: Order, at: number): Change {
  return changed(present, [to.withdraw(order, at)], { waiting: -1 });
}

/** A confirmed order is to be cancelled: its cancels are owed from the commit of this on. */
export function requestCancel(present: PackageSnapshot, order: Order, at: number): Change {
  return changed(present, [to.requestCancel(order, at)], { cancelling: 1 });
}

/** What a saga came to. Undefined when the order has moved on without it: then its word counts for nothing. */
export function settle(
  present: PackageSnapshot,
  order: Order,
  result: SagaResult,
  events: readonly TimelineEntry[],
  at: number,
): Change | undefined {
  if (result.kind === 'cleared') return cleared(present, order, events, at);
  if (order.status !== 'held') return undefined;
  switch (result.kind) {
    case 'progress':
      return changed(present, [to.progress(order, result.ticketNumber, events)], {});
    case 'booked': {
      const confirmed = to.confirm(order, at, result.ticketNumber, result.reservationNumber, events);
      return changed(present, [confirmed], { held: -1, confirmed: 1 });
    }
    case 'refused':
      return changed(present, [to.fail(order, at, result.reason, events)], { held: -1, remaining: 1 });
    case 'owing':
      return changed(present, [to.compensate(order, at, result.reason, result.ticketNumber, events)], {});
  }
}

function cleared(
  present: PackageSnapshot,
  order: Order,
  events: readonly TimelineEntry[],
  at: number,
): Change | undefined {
  if (order.status === 'compensating') {
    return changed(present, [to.compensated(order, at, events)], { held: -1, remaining: 1 });
  }
  if (order.status !== 'cancelling') return undefined;
  const delta = { confirmed: -1, cancelling: -1, remaining: 1 };
  return changed(present, [to.cancelled(order, at, events)], delta);
}

function numbered(
  { package: { id: packageId, flight, stay, price }, figures }: PackageSnapshot,
  wish: Wish,
  at: number,
) {
  const { id, email, key } = wish;
  return {
    ...{ id, packageId, number: figures.nextNumber, package: { flight, stay, price }, email },
    ...(key === undefined ? {} : { key }),
    createdAt: at,
  };
}

function stored({ figures }: PackageSnapshot, order: Order, delta: Partial<Figures>): Change {
  return { figures: moved(figures, delta), inserted: [order], updated: [] };
}

function changed({ figures }: PackageSnapshot, updated: readonly Order[], delta: Partial<Figures>): Change {
  return { figures: moved(figures, delta), inserted: [], updated };
}

function moved(figures: Figures, delta: Partial<Figures>): Figures {
  const next: Record<keyof Figures, number> = { ...figures };
  for (const [name, by] of Object.entries(delta) as [keyof Figures, number][]) next[name] += by;
  return next;
}
