import type { ErrorCode } from '../domain/errors.ts';
import { type Figures, isSaleWindow, type TravelPackage } from '../domain/travel-package.ts';
import type { PackageAmendment } from '../ports/operations.ts';
import type { Draft } from './draft.ts';
import type { Amend } from './messages.ts';

/** Applies an operator's change to the version that was read, or refuses it whole. */
export function amend(draft: Draft, change: Amend): void {
  const { caller } = change;
  const before = draft.package;
  if (change.inDoubt === true && isAmended(before, change))
    return draft.answer(caller, { kind: 'amended', package: before });
  const next = amendment(before, draft.figures, change);
  if (typeof next === 'string') return draft.answer(caller, { kind: 'refused', code: next });
  draft.package = next;
  draft.move({ remaining: next.quota - before.quota });
  draft.answer(caller, { kind: 'amended', package: next });
}

/** What a change makes of a package, or why it can't. The units it adds or takes are the remaining ones. */
export function amendment(
  before: TravelPackage,
  { held, confirmed }: Figures,
  change: PackageAmendment,
): TravelPackage | ErrorCode {
  if (before.version !== change.version) return 'version_conflict';
  const next = amended(before, change);
  if (next.quota < held + confirmed) return 'quota_too_low';
  return isSaleWindow(next) ? next : 'invalid';
}

function amended(before: TravelPackage, change: PackageAmendment): TravelPackage {
  const { opensAt: opened, closesAt: closed, paused: wasPaused, ...rest } = before;
  const opensAt = change.opensAt === undefined ? opened : change.opensAt;
  const closesAt = change.closesAt === undefined ? closed : change.closesAt;
  const paused = change.paused ?? wasPaused;
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
  };
}

/** Whether the package is what the change makes of the version before it. */
export function isAmended(present: TravelPackage, change: PackageAmendment): boolean {
  const { version, opensAt, closesAt, paused } = change;
  return (
    present.version === version + 1 &&
    (['flight', 'stay', 'price', 'quota'] as const).every(
      (name) => change[name] === undefined || present[name] === change[name],
    ) &&
    (opensAt === undefined || present.opensAt === (opensAt ?? undefined)) &&
    (closesAt === undefined || present.closesAt === (closesAt ?? undefined)) &&
    (paused === undefined || (present.paused ?? false) === paused)
  );
}
