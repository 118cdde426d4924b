import { setTimeout as pause } from 'node:timers/promises';
import type { TargetsParams } from '../arguments.ts';
import { makeOwnPackage, type OwnPackage, plenty } from './own-package.ts';
import { differences, listedAt, type ShownPackage, shownAt } from './shown-packages.ts';
import type { Target } from './target.ts';

export interface ChosenPackages {
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
 * It buys other people's packages only with `--spend`.
 * @throws Error with one line of advice if there is none; a created package is removed then.
 */
export async function choosePackages(params: TargetsParams, signal: AbortSignal): Promise<ChosenPackages> {
  const listed = await listedAt(params, signal);
  const named = params.packages.length === 0 ? undefined : await shownAt(params, params.packages, signal);
  const known = new Set(named?.[0]?.map(({ id }) => id));
  const missing = params.packages.filter((id) => !known.has(id));
  if (missing.length > 0) throw new Error(`${params.origins[0]} has no package ${missing.join(', ')}`);
  const warned = ({ packages, notes }: ChosenPackages): ChosenPackages => ({
    packages,
    notes: [
      ...notes,
      ...differences(packages, params.origins, named ?? listed).map((line) => `WARNING: ${line}`),
    ],
  });
  if (params.isReadOnly) return warned(lookUps(params, listed[0] ?? []));
  if (params.packages.length > 0 && params.isSpendingAllowed) {
    return warned({
      packages: params.packages,
      notes: [`Buys package ${params.packages.join(', ')}, whose quota is spent.`],
    });
  }
  if (params.packages.length > 0)
    throw new Error(
      'This would spend the quota of those packages: say --spend as well, or look them up with --read-only.',
    );
  if (params.adminToken !== undefined) return ownPackage(params, signal);
  throw new Error(
    'Nothing here may be bought: give --admin-token, and the bench makes a package of its own; or --package <id> --spend for a package whose quota may be spent; or --read-only to look packages up.',
  );
}

function lookUps({ packages, origins }: TargetsParams, listed: readonly ShownPackage[]): ChosenPackages {
  const all = packages.length > 0 ? packages : listed.map(({ id }) => id);
  if (all.length === 0) throw new Error(`${origins[0]} has no package that could be looked up`);
  return {
    packages: all,
    notes: [`Buys nothing: looks up ${all.length === 1 ? 'a package' : `${all.length} packages`}.`],
  };
}

async function ownPackage(target: Target, signal: AbortSignal): Promise<ChosenPackages> {
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
