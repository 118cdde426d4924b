import { amendment, isAmended } from '../../domain/amend.ts';
import type { Erasure, PackageAmendment } from '../../domain/change.ts';
import { erasing } from '../../domain/erase.ts';
import type { Order } from '../../domain/order.ts';
import type { Present } from '../../storage/store.ts';
import type { Refused } from '../engine.ts';
import type { Amended, ErasureDone } from '../operated-engine.ts';
import { refused } from './judge.ts';
import type { Decision } from './transactor.ts';

/**
 * Decides an operator's change of a package. It may be asked again after a commit whose outcome is unknown, and finds
 * then that it has been made.
 */
export function amending(
  change: PackageAmendment,
): (present: Present, now: number) => Decision<Amended | Refused> {
  let isTried = false;
  return ({ package: before, figures }, now) => {
    if (isTried && isAmended(before, change)) return { result: { kind: 'amended', package: before } };
    isTried = true;
    const next = amendment(before, figures, change, now);
    if (typeof next === 'string') return { result: refused(next) };
    const remaining = figures.remaining + next.quota - before.quota;
    return {
      change: { figures: { ...figures, remaining }, package: next, inserted: [], updated: [] },
      result: { kind: 'amended', package: next },
    };
  };
}

/** `present` was read with the orders. */
export function decideErasing(
  { figures, orders }: Present,
  email: string,
  erasures: readonly Erasure[],
): Decision<ErasureDone> {
  const byId = new Map<string, Order>(orders.map((order) => [order.id, order]));
  const { erased, left } = erasing(email, erasures, (id) => byId.get(id));
  const result = { kind: 'erased', left } as const;
  return erased.length === 0
    ? { result }
    : { change: { figures, inserted: [], updated: [], erased }, result };
}
