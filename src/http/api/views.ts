import { z } from 'zod';
import { type ErrorCode, errorCatalogue } from '../../domain/errors.ts';
import { type Order, type OrderReason, type OrderStatus, timelineEvents } from '../../domain/order.ts';
import type { PackageSnapshot } from '../../domain/travel-package.ts';
import type { QueueState } from '../queue-state.ts';

/* The API's responses: schemas for types, `/openapi.json` and tests, and the functions that build them. */

const count = z.int().min(0);
const timeAnswer = z.iso.datetime({ precision: 3 }).meta({ pattern: undefined });
const orderId = z
  .string()
  .regex(/^[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}$/)
  .meta({
    description: 'Nobody guesses it: with the email it is all that is needed to see and cancel the order.',
  });

/** The trip that a package consists of. */
export const offerAnswer = z.object({
  flight: z.string(),
  stay: z.string().meta({ description: 'The night, as an ISO date.' }),
  price: z.int().min(0).meta({ description: 'In whole units of the currency.' }),
});

/** In every answer, `quota = remaining + held + confirmed` (promise Q1). */
export const packageAnswer = z.object({
  id: z.int().min(1),
  ...offerAnswer.shape,
  quota: count.meta({ description: 'Places on sale in total: remaining + held + confirmed.' }),
  remaining: count,
  held: count.meta({ description: 'Places that are being booked; they may come back.' }),
  confirmed: count,
  waiting: count.meta({ description: 'Orders in the queue.' }),
  opensAt: timeAnswer.exactOptional(),
  closesAt: timeAnswer.exactOptional(),
  paused: z.literal(true).exactOptional(),
  listed: z
    .literal(false)
    .exactOptional()
    .meta({ description: 'It is in no list, and is bought by its id.' }),
  archived: z
    .literal(true)
    .exactOptional()
    .meta({ description: 'Its sale has ended for good, and it is in no list.' }),
});

export const packagesAnswer = z.object({
  packages: z.array(packageAnswer),
  next: z.string().exactOptional().meta({ description: 'The cursor of the next page, if there is one.' }),
});

const statusWords = {
  queued: 'it is in the queue',
  held: 'it holds a place, and the suppliers are being asked',
  payable:
    'its place, flight and hotel are held until `payBy`: it is confirmed once it is paid at `paymentUrl`',
  compensating: 'it failed, and what was reserved is being cancelled',
  confirmed: 'it is booked',
  cancelling: 'it was booked, and is being cancelled',
  failed: 'a supplier could not book it, or it was not paid',
  rejected: 'it was in the queue until everything was sold',
  withdrawn: 'it left the queue',
  cancelled: 'it was booked, then cancelled',
} as const satisfies Record<OrderStatus, string>;

const reasonWords = {
  flight_unavailable: 'the flight had no seat',
  hotel_unavailable: 'the hotel had no room',
  invalid_ticket: 'the hotel did not accept the flight ticket',
  supplier_silent: 'a supplier did not answer in time',
  sold_out: 'every place was sold',
  payment_refused: 'the payment provider did not accept the payment',
  payment_declined: 'the payment was declined',
  payment_expired: 'it was not paid in time; a later payment is refunded',
  payment_abandoned: 'its buyer cancelled it instead of paying',
} as const satisfies Record<OrderReason, string>;

/** An order, shown to callers that know its id and its email (promise Q10). */
export const orderAnswer = z.object({
  id: orderId,
  packageId: z.int().min(1),
  package: offerAnswer.meta({
    description: 'The package as bought. Its price is in units of `currency`, if the order has that.',
  }),
  email: z.string(),
  status: z.enum(namesOf(statusWords)).meta({ description: inWords(statusWords) }),
  reason: z
    .enum(namesOf(reasonWords))
    .exactOptional()
    .meta({ description: `Why it failed. ${inWords(reasonWords)}` }),
  flight: z.object({ ticketNumber: z.string() }).exactOptional(),
  hotel: z.object({ reservationNumber: z.string() }).exactOptional(),
  amount: count.exactOptional().meta({
    description:
      'The price in minor units of the currency, such as cents. Absent if the order need not be paid.',
  }),
  currency: z.string().exactOptional().meta({ description: 'An ISO 4217 code. Present with `amount`.' }),
  payBy: timeAnswer.exactOptional().meta({
    description: 'Of a payable order: if it is not paid until then, its place goes to the next in the queue.',
  }),
  paymentUrl: z.url().exactOptional().meta({ description: 'Of a payable order: where its buyer pays.' }),
  queuePosition: z
    .int()
    .min(1)
    .exactOptional()
    .meta({ description: 'The position in the queue, while it is known.' }),
  estimatedWait: z
    .object({ minSeconds: count, maxSeconds: count })
    .nullable()
    .exactOptional()
    .meta({
      description:
        'Of a queued order: how long it will probably wait for a place, or for a sell-out, by the pace of the queue in ' +
        'the last minutes. Null while that is not known. A sell-out can end the wait earlier.',
    }),
  createdAt: timeAnswer,
  timeline: z.array(
    z.object({ at: timeAnswer, event: z.enum(timelineEvents), detail: z.string().exactOptional() }),
  ),
});

/** Problem details (RFC 9457) with the code of the error catalogue. */
export const problemAnswer = z.object({
  type: z.string().meta({ format: 'uri-reference' }),
  title: z.string(),
  status: z.int().min(400).max(599),
  code: z
    .enum(namesOf(errorCatalogue))
    .meta({ description: 'What went wrong; it never changes its meaning.' }),
  detail: z.string().exactOptional().meta({ description: 'A sentence about this very case.' }),
  instance: z
    .string()
    .exactOptional()
    .meta({ format: 'uri-reference', description: 'The order that it is about.' }),
  errors: z
    .array(z.object({ path: z.string(), message: z.string() }))
    .exactOptional()
    .meta({ description: 'What is wrong with the members of the request; `path` is dotted.' }),
  order: orderAnswer.exactOptional().meta({ description: 'The order that it is about, where there is one.' }),
}) satisfies z.ZodType<{ readonly code: ErrorCode }>;

export const flightAnswer = z.object({ ticketNumber: z.string() });
export const hotelAnswer = z.object({ reservationNumber: z.string() });

export const ledgerAnswer = z.object({
  reservations: z.array(
    z.object({ key: z.string(), number: z.string(), status: z.enum(['active', 'cancelled']) }),
  ),
  next: z.string().exactOptional().meta({ description: 'The cursor of the next page, if there is one.' }),
});

export const healthAnswer = z.object({ status: z.literal('ok'), instance: z.string() });
export const readyAnswer = z.object({ status: z.literal('ready'), instance: z.string() });

function namesOf<Name extends string>(words: Readonly<Record<Name, unknown>>): [Name, ...Name[]] {
  return Object.keys(words) as [Name, ...Name[]];
}

function inWords(words: Readonly<Record<string, string>>): string {
  return `${Object.entries(words)
    .map(([name, meaning]) => `\`${name}\`: ${meaning}`)
    .join('; ')}.`;
}

export type PackageView = z.output<typeof packageAnswer>;

export function packageView(snapshot: PackageSnapshot): PackageView {
  const { id, flight, stay, price, quota, opensAt, closesAt } = snapshot.package;
  const { paused, listed, archived } = snapshot.package;
  const { remaining, held, confirmed, waiting } = snapshot.inventory;
  return {
    ...{ id, flight, stay, price, quota, remaining, held, confirmed, waiting },
    ...(opensAt === undefined ? {} : { opensAt: isoTime(opensAt) }),
    ...(closesAt === undefined ? {} : { closesAt: isoTime(closesAt) }),
    ...(paused ? { paused } : {}),
    ...(listed === false ? { listed } : {}),
    ...(archived ? { archived } : {}),
  };
}

export type OrderView = z.output<typeof orderAnswer>;

/** @param queue where the order stands in its queue, if it is queued and the answer shows it */
export function orderView(order: Order, queue?: QueueState): OrderView {
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
    ...paymentView(order),
    ...(queue === undefined ? {} : queueView(queue)),
    createdAt: isoTime(order.createdAt),
    timeline: order.timeline.map(({ at, event, detail }) => ({
      at: isoTime(at),
      event,
      ...(detail === undefined ? {} : { detail }),
    })),
  };
}

function paymentView({
  payment,
  status,
}: Order): Pick<OrderView, 'amount' | 'currency' | 'payBy' | 'paymentUrl'> {
  if (payment === undefined) return {};
  const { amount, currency, url, payBy } = payment;
  if (status !== 'payable' || url === undefined || payBy === undefined) return { amount, currency };
  return { amount, currency, payBy: isoTime(payBy), paymentUrl: url };
}

function queueView({
  queuePosition,
  estimatedWait,
}: QueueState): Pick<OrderView, 'queuePosition' | 'estimatedWait'> {
  return { ...(queuePosition === undefined ? {} : { queuePosition }), estimatedWait: estimatedWait ?? null };
}

let lastSecond = Number.NaN;
/** The text of that second, for example `2026-11-30T12:00:00.` */
let secondText = '';

/**
 * Formats a time in milliseconds as `Date.toISOString` does. Each order has several times, most of them of the second before,
 * and a Date takes ten times as long.
 */
export function isoTime(ms: number): string {
  const second = Math.floor(ms / 1000);
  if (second !== lastSecond) {
    secondText = new Date(second * 1000).toISOString().slice(0, -4);
    lastSecond = second;
  }
  return `${secondText}${String(Math.floor(ms - second * 1000)).padStart(3, '0')}Z`;
}
