import type { ErrorCode } from './errors.ts';
import type { Erasure, PackageUpdate, UpdatePackage } from './messages.ts';
import { isSettled, type Order } from './order.ts';
import type { Draft } from './package-state.ts';
import { type Inventory, isSaleWindow, isSoldOut, salePhase, type TravelPackage } from './travel-package.ts';

/** Applies an operator's update if its version is current. Otherwise refuses the whole update. */
export function updatePackage(draft: Draft, change: UpdatePackage, now: number): void {
  const { caller } = change;
  const before = draft.package;
  if (change.inDoubt === true && isUpdated(before, change))
    return draft.answer(caller, { kind: 'updated', package: before });
  const next = updatedPackage(before, draft.inventory, change, now);
  if (typeof next === 'string') return draft.answer(caller, { kind: 'refused', code: next });
  draft.package = next;
  draft.move({ remaining: next.quota - before.quota });
  draft.answer(caller, { kind: 'updated', package: next });
}

/** The package after an update, or the reason for a refusal. A new quota changes the number of remaining units. */
export function updatedPackage(
  before: TravelPackage,
  inventory: Inventory,
  change: PackageUpdate,
  now: number,
): TravelPackage | ErrorCode {
  if (before.version !== change.version) return 'version_conflict';
  const next = amended(before, change);
  const { held, confirmed } = inventory;
  if (next.quota < held + confirmed) return 'quota_too_low';
  if (change.archived === true && !hasEnded(next, inventory, now)) return 'sale_not_ended';
  return isSaleWindow(next) ? next : 'invalid';
}

/** Whether the package can no longer be bought, and none of its orders is queued, held or being cancelled. */
function hasEnded(next: TravelPackage, inventory: Inventory, now: number): boolean {
  const { waiting, held, cancelling } = inventory;
  const isClosed =
    next.paused === true || salePhase(next, now) === 'closed' || isSoldOut(next.quota, inventory);
  return isClosed && waiting + held + cancelling === 0;
}

function amended(before: TravelPackage, change: PackageUpdate): TravelPackage {
  const { opensAt: opened, closesAt: closed, paused: wasPaused, listed: wasListed, ...rest } = before;
  const opensAt = change.opensAt === undefined ? opened : change.opensAt;
  const closesAt = change.closesAt === undefined ? closed : change.closesAt;
  const paused = change.paused ?? wasPaused;
  const listed = change.listed ?? wasListed;
  return {
    ...rest,
    flight: change.flight ?? before.flight,
    stay: change.stay ?? before.stay,
    price: change.price ?? before.price,
    quota: change.quota ?? before.quota,
    version: before.version + 1,
    ...(opensAt != null && { opensAt }),
    ...(closesAt != null && { closesAt }),
    ...(paused === true && { paused }),
    ...(listed === false && { listed }),
    ...(change.archived === true && { archived: true }),
  };
}

/** Whether the stored package is the result of this update to the previous version. */
export function isUpdated(stored: TravelPackage, change: PackageUpdate): boolean {
  const { version, opensAt, closesAt, paused, listed, archived } = change;
  return (
    stored.version === version + 1 &&
    (['flight', 'stay', 'price', 'quota'] as const).every(
      (name) => change[name] === undefined || stored[name] === change[name],
    ) &&
    (opensAt === undefined || stored.opensAt === (opensAt ?? undefined)) &&
    (closesAt === undefined || stored.closesAt === (closesAt ?? undefined)) &&
    (paused === undefined || (stored.paused ?? false) === paused) &&
    (listed === undefined || (stored.listed ?? true) === listed) &&
    (archived === undefined || stored.archived === true)
  );
}

/** The orders to store without the email, and the number of orders that have not ended yet. */
export interface EraseOutcome {
  readonly erased: readonly Order[];
  readonly left: number;
}

/**
 * Replaces an email, and keys that contain it, in orders that have ended. Orders that have not ended keep the email,
 * because the suppliers need it. Orders with another email are skipped.
 */
export function eraseEmail(
  email: string,
  erasures: readonly Erasure[],
  find: (orderId: string) => Order | undefined,
  batch?: { isTouched(orderId: string): boolean },
): EraseOutcome {
  const erased: Order[] = [];
  let left = 0;
  for (const erasure of erasures) {
    const order = find(erasure.orderId);
    if (order === undefined || order.email !== email) continue;
    if (isSettled(order) && batch?.isTouched(order.id) !== true) erased.push(withoutEmail(order, erasure));
    else left += 1;
  }
  return { erased, left };
}

function withoutEmail(order: Order, { email, key }: Erasure): Order {
  return { ...order, email, ...(order.key === undefined || key === undefined ? {} : { key }) };
}
