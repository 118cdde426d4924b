import type { z } from 'zod';
import type { Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import type { orderAnswer, packageAnswer } from './api/answers.ts';

/** A package as the API shows it. */
export type PackageView = z.output<typeof packageAnswer>;

export function packageView(snapshot: PackageSnapshot): PackageView {
  const { id, flight, stay, price, quota, opensAt, closesAt } = snapshot.package;
  const { paused, listed, archived } = snapshot.package;
  const { remaining, held, confirmed, waiting } = snapshot.inventory;
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
    ...(listed === false ? { listed } : {}),
    ...(archived ? { archived } : {}),
  };
}

/** An order as the API shows it to its buyer (rule Q10). */
export type OrderView = z.output<typeof orderAnswer>;

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
