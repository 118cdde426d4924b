import { setTimeout as pause } from 'node:timers/promises';
import type { TargetsWish } from '../arguments.ts';
import type { Target } from './ask.ts';
import { differences } from './differences.ts';
import { makeOwnPackage, type OwnPackage, plenty } from './own-package.ts';
import { listedAt, type Shown, shownAt } from './shown.ts';

export interface Chosen {
  readonly packages: readonly number[];
  /** Remarks for the user. */
  readonly notes: readonly string[];
  /** The package that the bench created; it is archived at the end. */
  readonly own?: OwnPackage;
}

/** The time within which all instances must show a new package. */
const spreadMs = 3_000;
const betweenLooksMs = 100;

/**
 * Chooses the packages to buy: those named together with `--spend`, or one created for this bench with the admin token.
 * It never buys packages of others unasked.
 * @throws Error with one line of advice if there is none; a created package is removed then.
 */
export async function choosePackages(wish: TargetsWish, signal: AbortSignal): Promise<Chosen> {
  const listed = await listedAt(wish, signal);
  const named = wish.packages.length === 0 ? undefined : await shownAt(wish, wish.packages, signal);
  const known = new Set(named?.[0]?.map(({ id }) => id));
  const missing = wish.packages.filter((id) => !known.has(id));
  if (missing.length > 0) throw new Error(`${wish.origins[0]} has no package ${missing.join(', ')}`);
  const warned = ({ packages, notes }: Chosen): Chosen => ({
    packages,
    notes: [
      ...notes,
      ...differences(packages, wish.origins, named ?? listed).map((line) => `WARNING: ${line}`),
    ],
  });
  if (wish.isReadOnly) return warned(looked(wish, listed[0] ?? []));
  if (wish.packages.length > 0 && wish.isSpendingAllowed) {
    return warned({
      packages: wish.packages,
      notes: [`Buys package ${wish.packages.join(', ')}, whose quota is spent.`],
    });
  }
  if (wish.packages.length > 0)
    throw new Error(
      'This would spend the quota of those packages: say --spend as well, or look them up with --read-only.',
    );
  if (wish.adminToken !== undefined) return ownPackage(wish, signal);
  throw new Error(
    'Nothing here may be bought: give --admin-token, and the bench makes a package of its own; or --package <id> --spend for a package whose quota may be spent; or --read-only to look packages up.',
  );
}

function looked({ packages, origins }: TargetsWish, listed: readonly Shown[]): Chosen {
  const all = packages.length > 0 ? packages : listed.map(({ id }) => id);
  if (all.length === 0) throw new Error(`${origins[0]} has no package that could be looked up`);
  return {
    packages: all,
    notes: [`Buys nothing: looks up ${all.length === 1 ? 'a package' : `${all.length} packages`}.`],
  };
}

async function ownPackage(target: Target, signal: AbortSignal): Promise<Chosen> {
  const own = await makeOwnPackage(target);
  try {
    signal.throwIfAborted();
    await shownByAll(own.id, target, signal);
  } catch (error) {
    console.error(await own.retire());
    throw error;
  }
  const quota = plenty.toLocaleString('en');
  const seen = own.isListed
    ? 'This release cannot leave a package out of the list, so customers see it until the end.'
    : 'Customers do not see it.';
  return {
    packages: [own.id],
    own,
    notes: [`Made package ${own.id} for this bench, with a quota of ${quota}. ${seen}`],
  };
}

/**
 * @throws Error with one line if another instance shows a different package under this id, which may be on sale there.
 */
async function shownByAll(id: number, target: Target, signal: AbortSignal): Promise<void> {
  for (const until = performance.now() + spreadMs; target.origins.length > 1; ) {
    const [difference] = differences([id], target.origins, await shownAt(target, [id], signal));
    if (difference === undefined) return;
    if (performance.now() > until) throw new Error(`Nothing was bought. ${difference}`);
    await pause(betweenLooksMs, undefined, { signal });
  }
}
