import type { Order, OrderReason, OrderStatus, TimelineEvent } from '../domain/order.ts';
import type { Offer, PackageSnapshot } from '../domain/travel-package.ts';

/** A package as the API shows it. */
export interface PackageView extends Offer {
  readonly id: number;
  readonly quota: number;
  readonly remaining: number;
  readonly held: number;
  readonly confirmed: number;
  readonly waiting: number;
  /** The sale window as ISO times in UTC, where there is one. */
  readonly opensAt?: string;
  readonly closesAt?: string;
  readonly paused?: true;
}

export function packageView(snapshot: PackageSnapshot): PackageView {
  const { id, flight, stay, price, quota, opensAt, closesAt, paused } = snapshot.package;
  const { remaining, held, confirmed, waiting } = snapshot.figures;
  return {
    id,
    flight,
    stay,
    price,
    quota,
    remaining,
    held,
    confirmed,
    waiting,
    ...(opensAt === undefined ? {} : { opensAt: isoTime(opensAt) }),
    ...(closesAt === undefined ? {} : { closesAt: isoTime(closesAt) }),
    ...(paused ? { paused } : {}),
  };
}

/** An order as the API shows it to its buyer (rule Q10). */
export interface OrderView {
  readonly id: string;
  readonly packageId: number;
  readonly package: Offer;
  readonly email: string;
  readonly status: OrderStatus;
  readonly reason?: OrderReason;
  readonly flight?: { readonly ticketNumber: string };
  readonly hotel?: { readonly reservationNumber: string };
  /** The place in the line, from 1, while it is queued and its line is known here. */
  readonly queuePosition?: number;
  /** ISO time in UTC, as are those of the timeline. */
  readonly createdAt: string;
  readonly timeline: readonly {
    readonly at: string;
    readonly event: TimelineEvent;
    readonly detail?: string;
  }[];
}

export function orderView(order: Order, queuePosition?: number): OrderView {
  const { id, packageId, email, status, reason, flight, hotel } = order;
  return {
    id,
    packageId,
    package: { flight: order.package.flight, stay: order.package.stay, price: order.package.price },
    email,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(flight === undefined ? {} : { flight: { ticketNumber: flight.ticketNumber } }),
    ...(hotel === undefined ? {} : { hotel: { reservationNumber: hotel.reservationNumber } }),
    ...(queuePosition === undefined ? {} : { queuePosition }),
    createdAt: isoTime(order.createdAt),
    timeline: order.timeline.map(({ at, event, detail }) => ({
      at: isoTime(at),
      event,
      ...(detail === undefined ? {} : { detail }),
    })),
  };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
