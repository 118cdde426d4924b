import type { Prng } from './prng.ts';

/** The probability of each fault per occasion, from 0 to 1. Drawn for each seed. */
export type FaultRates = CommonRates & PaymentRates;

/** The faults of every seed. */
export interface CommonRates {
  /** Per external call: the process crashes before the call arrives, or after it took effect. */
  readonly crashBefore: number;
  readonly crashAfter: number;
  /** Per step of a process and per sent message: the process crashes before the step or the message. */
  readonly crashStep: number;
  /** Per call: the process pauses, often until after its lease has expired. */
  readonly pause: number;
  /** Per virtual second: an instance's clock jumps. */
  readonly clockJump: number;
  /** Per store call: the call or its reply is lost. */
  readonly storeLost: number;
  readonly storeReplyLost: number;
  /** Per virtual second: the store is unavailable for a while, to all instances or one. */
  readonly storeOutage: number;
  readonly messageLost: number;
  readonly messageTwice: number;
  /** Per message: it is delivered late and out of order. */
  readonly messageLate: number;
  /** Per virtual second: one instance no longer receives another's messages (one-way partition). */
  readonly partition: number;
  /** Per virtual second: the transport of messages and leases is unavailable for a while, to all instances or one. */
  readonly carrierOutage: number;
  /** Per request for a lease that another instance holds: the lease is granted as well. */
  readonly leaseTwice: number;
  /** Per virtual second: an instance is told to take over a package that may have an owner. */
  readonly rival: number;
  /** Per virtual second: the lease service loses all leases. */
  readonly leaseWipe: number;
  readonly leaseLost: number;
  readonly flightRefused: number;
  readonly hotelRefused: number;
  /** Per supplier attempt: the request has no effect and gets no answer. */
  readonly supplierError: number;
  /** Per supplier attempt: the request takes effect but gets no answer. */
  readonly supplierReplyLost: number;
  /** Per supplier attempt: the request takes effect only after its timeout. */
  readonly supplierLate: number;
  /** Per supplier attempt: the request arrives twice. */
  readonly supplierTwice: number;
  /** Per supplier attempt after the first with its key: it is refused, whatever became of the attempts before. */
  readonly supplierContradicts: number;
  /** Per cancel: it fails. */
  readonly cancelFails: number;
  /** Per key: every attempt with the key fails until the faults end. */
  readonly supplierBadKey: number;
  /** Per virtual second: the suppliers fail or hang for a while, for all packages or one. */
  readonly supplierOutage: number;
  /** Per virtual second: an instance joins, or drains and leaves. */
  readonly joins: number;
  readonly leaves: number;
  /** Per virtual second: a package or an order cannot be read for a while, or for ever. */
  readonly spoils: number;
}

/** The faults of the payment provider. */
export interface PaymentRates {
  /** Per key: the provider does not accept the payment. */
  readonly paymentRefused: number;
  /** Per key: the provider asks its buyer for another amount, or in another currency. */
  readonly paymentOtherAmount: number;
  /** Per request for a payment: it has no effect and gets no answer. */
  readonly paymentError: number;
  /** Per call: it takes effect but gets no answer. */
  readonly paymentReplyLost: number;
  /** Per call: its answer takes long, often longer than the timeout. */
  readonly paymentSlow: number;
  /** Per request for a payment: it takes effect only after its timeout. */
  readonly paymentLate: number;
  /** Per request for a payment, and per refund: it arrives twice. */
  readonly paymentTwice: number;
  /** Per look-up: it gets no answer. */
  readonly lookUpFails: number;
  /** Per cancel or refund: it fails. */
  readonly refundFails: number;
  /** Per key: every cancel or refund fails for a while. */
  readonly refundStuck: number;
  /** Per virtual second: the provider fails or hangs for a while, for all packages or one. */
  readonly paymentOutage: number;
  /** Per event: it never arrives. */
  readonly eventLost: number;
  readonly eventTwice: number;
  /** Per event: it arrives late, after newer ones. */
  readonly eventLate: number;
  /** Per event: somebody else sends one as well, with a wrong signature. */
  readonly eventForged: number;
  /** Per event: the provider sends another one, which says what is not so. */
  readonly eventFalse: number;
}

/**
 * Draws the rates. Many seeds have few faults, some seeds have none, and some have many faults of one kind. Each mix
 * finds other bugs.
 */
export function drawFaults(prng: Prng): CommonRates {
  const upTo = ratesOf(prng);
  return {
    crashBefore: upTo(0.03),
    crashAfter: upTo(0.03),
    crashStep: upTo(0.012),
    pause: upTo(0.03),
    clockJump: upTo(0.5),
    storeLost: upTo(0.15),
    storeReplyLost: upTo(0.15),
    storeOutage: upTo(0.15),
    messageLost: upTo(0.3),
    messageTwice: upTo(0.3),
    messageLate: upTo(0.3),
    partition: upTo(0.3),
    carrierOutage: upTo(0.1),
    leaseTwice: upTo(0.9),
    rival: upTo(0.9),
    leaseWipe: upTo(0.4),
    leaseLost: upTo(0.2),
    flightRefused: prng.pick([0, 0, 0.3, 0.5, 0.9]),
    hotelRefused: prng.pick([0, 0, 0.2, 0.5]),
    supplierError: upTo(0.4),
    supplierReplyLost: upTo(0.4),
    supplierLate: upTo(0.3),
    supplierTwice: upTo(0.3),
    supplierContradicts: upTo(0.5),
    cancelFails: upTo(0.6),
    supplierBadKey: upTo(0.3),
    supplierOutage: upTo(0.2),
    joins: upTo(0.3),
    leaves: upTo(0.3),
    spoils: upTo(0.3),
  };
}

/** Draws the rates of the payment provider's faults, as {@link drawFaults} does. */
export function drawPaymentFaults(prng: Prng): PaymentRates {
  const upTo = ratesOf(prng);
  return {
    paymentRefused: upTo(0.2),
    paymentOtherAmount: upTo(0.3),
    paymentError: upTo(0.4),
    paymentReplyLost: upTo(0.4),
    paymentSlow: upTo(0.2),
    paymentLate: upTo(0.3),
    paymentTwice: upTo(0.3),
    lookUpFails: upTo(0.6),
    refundFails: upTo(0.6),
    refundStuck: upTo(0.5),
    paymentOutage: upTo(0.2),
    eventLost: prng.pick([0, 0.3, 1]),
    eventTwice: upTo(0.4),
    eventLate: upTo(0.4),
    eventForged: upTo(0.5),
    eventFalse: upTo(0.5),
  };
}

/** Returns a function that draws a rate. Its argument is the highest rate in a seed of common temper. */
function ratesOf(prng: Prng): (most: number) => number {
  const temper = prng.pick([0, 0.3, 1, 1, 1, 3]);
  return (most) => (prng.chance(0.45) ? 0 : Math.min(0.9, temper * most * prng.fraction() ** 2));
}

export const noPaymentFaults: PaymentRates = {
  paymentRefused: 0,
  paymentOtherAmount: 0,
  paymentError: 0,
  paymentReplyLost: 0,
  paymentSlow: 0,
  paymentLate: 0,
  paymentTwice: 0,
  lookUpFails: 0,
  refundFails: 0,
  refundStuck: 0,
  paymentOutage: 0,
  eventLost: 0,
  eventTwice: 0,
  eventLate: 0,
  eventForged: 0,
  eventFalse: 0,
};

export const noFaults: FaultRates = {
  ...noPaymentFaults,
  crashBefore: 0,
  crashAfter: 0,
  crashStep: 0,
  pause: 0,
  clockJump: 0,
  storeLost: 0,
  storeReplyLost: 0,
  storeOutage: 0,
  messageLost: 0,
  messageTwice: 0,
  messageLate: 0,
  partition: 0,
  carrierOutage: 0,
  leaseTwice: 0,
  rival: 0,
  leaseWipe: 0,
  leaseLost: 0,
  flightRefused: 0,
  hotelRefused: 0,
  supplierError: 0,
  supplierReplyLost: 0,
  supplierLate: 0,
  supplierTwice: 0,
  supplierContradicts: 0,
  cancelFails: 0,
  supplierBadKey: 0,
  supplierOutage: 0,
  joins: 0,
  leaves: 0,
  spoils: 0,
};
