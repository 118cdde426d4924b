import type { PackageUpdate } from './change.ts';
import type { Draft } from './draft.ts';
import type { ErrorCode } from './errors.ts';
import type { UpdatePackage } from './messages.ts';
import { type Inventory, isSaleWindow, isSoldOut, salePhase, type TravelPackage } from './travel-package.ts';

/** Applies an operator's change to the version that was read, or refuses it whole. */
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

/** What a change makes of a package, or why it can't. The units it adds or takes are the remaining ones. */
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

/** Whether nobody can buy it, and no order of it is queued, held or being cancelled. */
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
    ...(opensAt == null ? {} : { opensAt }),
    ...(closesAt == null ? {} : { closesAt }),
    ...(paused === true ? { paused } : {}),
    ...(listed === false ? { listed } : {}),
    ...(change.archived === true ? { archived: true } : {}),
  };
}

/** Whether the package is what the change makes of the version before it. */
export function isUpdated(present: TravelPackage, change: PackageUpdate): boolean {
  const { version, opensAt, closesAt, paused, listed, archived } = change;
  return (
    present.version === version + 1 &&
    (['flight', 'stay', 'price', 'quota'] as const).every(
      (name) => change[name] === undefined || present[name] === change[name],
    ) &&
    (opensAt === undefined || present.opensAt === (opensAt ?? undefined)) &&
    (closesAt === undefined || present.closesAt === (closesAt ?? undefined)) &&
    (paused === undefined || (present.paused ?? false) === paused) &&
    (listed === undefined || (present.listed ?? true) === listed) &&
    (archived === undefined || present.archived === true)
  );
}
