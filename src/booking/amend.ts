import type { TravelPackage } from '../domain/travel-package.ts';
import type { Draft } from './draft.ts';
import type { Amend } from './messages.ts';

/** Applies an operator's change to the version that was read, or refuses it whole. */
export function amend(draft: Draft, change: Amend): void {
  const { caller } = change;
  const { held, confirmed, remaining } = draft.figures;
  const before = draft.package;
  if (change.inDoubt === true && isDone(before, change))
    return draft.answer(caller, { kind: 'amended', package: before });
  if (before.version !== change.version)
    return draft.answer(caller, { kind: 'refused', code: 'version_conflict' });
  const quota = change.quota ?? before.quota;
  if (quota < held + confirmed) return draft.answer(caller, { kind: 'refused', code: 'quota_too_low' });
  draft.package = amended(before, change, quota);
  draft.move({ remaining: quota - held - confirmed - remaining });
  draft.answer(caller, { kind: 'amended', package: draft.package });
}

function amended(before: TravelPackage, change: Amend, quota: number): TravelPackage {
  const { opensAt: opened, closesAt: closed, paused: wasPaused, ...rest } = before;
  const opensAt = change.opensAt === undefined ? opened : change.opensAt;
  const closesAt = change.closesAt === undefined ? closed : change.closesAt;
  const paused = change.paused ?? wasPaused;
  return {
    ...rest,
    quota,
    version: before.version + 1,
    ...(opensAt == null ? {} : { opensAt }),
    ...(closesAt == null ? {} : { closesAt }),
    ...(paused === true ? { paused } : {}),
  };
}

/** The package is what the change makes of the version before it. */
function isDone(present: TravelPackage, { version, quota, opensAt, closesAt, paused }: Amend): boolean {
  return (
    present.version === version + 1 &&
    (quota === undefined || present.quota === quota) &&
    (opensAt === undefined || present.opensAt === (opensAt ?? undefined)) &&
    (closesAt === undefined || present.closesAt === (closesAt ?? undefined)) &&
    (paused === undefined || (present.paused ?? false) === paused)
  );
}
