import type { Prng } from './prng.ts';

/** How likely each fault is, from 0 to 1 per occasion unless it says otherwise. Drawn per seed. */
export interface FaultRates {
  /** Per call of an outside service: the process ends before the call arrives, or after it was done. */
  readonly crashBefore: number;
  readonly crashAfter: number;
  /** Per step of a process, and per message that it sends: it ends between any two things that it does. */
  readonly crashStep: number;
  /** Per call: the process stands still for a while, often past its lease. */
  readonly pause: number;
  /** Per virtual second: an instance's clock jumps. */
  readonly clockJump: number;
  /** Per call of the store: it does not arrive, or its reply gets lost. */
  readonly storeLost: number;
  readonly storeReplyLost: number;
  /** Per virtual second: the store is away for a while, for everybody or for one. */
  readonly storeOutage: number;
  readonly messageLost: number;
  readonly messageTwice: number;
  /** Much later than usual, and so out of order. */
  readonly messageLate: number;
  /** Per virtual second: one instance hears another no more, but is heard. */
  readonly partition: number;
  /** Per virtual second: what carries messages and leases is away for a while, for everybody or for one. */
  readonly carrierOutage: number;
  /** Per request for a lease that another holds: it is granted all the same. */
  readonly leaseTwice: number;
  /** Per virtual second: an instance is asked to take over a package, whoever owns it. */
  readonly rival: number;
  /** Per virtual second: the lease service forgets everything. */
  readonly leaseWipe: number;
  readonly leaseLost: number;
  readonly flightRefused: number;
  readonly hotelRefused: number;
  /** Per attempt at a supplier: no answer, nothing done; no answer, but it was done; done long after the time-out. */
  readonly supplierError: number;
  readonly supplierReplyLost: number;
  readonly supplierLate: number;
  /** Per attempt at a supplier: it arrives twice, and is answered twice. */
  readonly supplierTwice: number;
  /** Per cancel. */
  readonly cancelFails: number;
  /** Per virtual second: the breaker opens for a while. */
  readonly breaker: number;
  /** Per virtual second: an instance joins, or leaves in an orderly way. */
  readonly joins: number;
  readonly leaves: number;
}

/** Many seeds have few faults, some have none, and some have many of one kind: each finds other bugs. */
export function drawFaults(prng: Prng): FaultRates {
  const temper = prng.pick([0, 0.3, 1, 1, 1, 3]);
  const upTo = (most: number) =>
    prng.chance(0.45) ? 0 : Math.min(0.9, temper * most * prng.fraction() ** 2);
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
    cancelFails: upTo(0.6),
    breaker: upTo(0.2),
    joins: upTo(0.3),
    leaves: upTo(0.3),
  };
}

export const noFaults: FaultRates = {
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
  cancelFails: 0,
  breaker: 0,
  joins: 0,
  leaves: 0,
};
