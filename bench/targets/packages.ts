import { setTimeout as pause } from 'node:timers/promises';
import type { TargetsWish } from '../arguments.ts';
import { differences } from './differences.ts';

export interface Chosen {
  readonly packages: readonly number[];
  /** What the user has to know about them. */
  readonly notes: readonly string[];
}

/** As `GET /api/packages` shows it. */
export interface Shown {
  readonly id: number;
  readonly flight?: string;
  readonly stay?: string;
  readonly price?: number;
  readonly quota?: number;
}

/** Never sold out within a bench. */
const plenty = 10_000_000;
const patienceMs = 10_000;
/** Until all instances show what one of them has made. */
const spreadMs = 3_000;
const betweenLooksMs = 100;

/**
 * Chooses what is bought, so that nobody's quota is spent unasked: packages that were named with `--spend`, or one
 * made for this bench with the admin token.
 * @throws Error with one line that says what to do, where nothing may be bought.
 */
export async function choosePackages(wish: TargetsWish, signal: AbortSignal): Promise<Chosen> {
  const all = await reachAll(wish.origins, signal);
  const shown = all[0] ?? [];
  const known = new Set(shown.map(({ id }) => id));
  const missing = wish.packages.filter((id) => !known.has(id));
  if (missing.length > 0) throw new Error(`${wish.origins[0]} has no package ${missing.join(', ')}`);
  const warned = ({ packages, notes }: Chosen): Chosen => ({
    packages,
    notes: [...notes, ...differences(packages, wish.origins, all).map((line) => `WARNING: ${line}`)],
  });
  if (wish.isReadOnly) return warned(looked(wish, shown));
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
  if (wish.adminToken !== undefined) return ownPackage(wish.origins, wish.adminToken, signal);
  throw new Error(
    'Nothing here may be bought: give --admin-token, and the bench makes a package of its own; or --package <id> --spend for a package whose quota may be spent; or --read-only to look packages up.',
  );
}

function looked({ packages, origins }: TargetsWish, shown: readonly Shown[]): Chosen {
  const all = packages.length > 0 ? packages : shown.map(({ id }) => id);
  if (all.length === 0) throw new Error(`${origins[0]} has no package that could be looked up`);
  return {
    packages: all,
    notes: [`Buys nothing: looks up ${all.length === 1 ? 'a package' : `${all.length} packages`}.`],
  };
}

/** @returns the packages of each. */
function reachAll(origins: readonly string[], signal: AbortSignal): Promise<(readonly Shown[])[]> {
  return Promise.all(origins.map((origin) => packagesOf(origin, signal)));
}

async function packagesOf(origin: string, signal: AbortSignal): Promise<readonly Shown[]> {
  const response = await ask(origin, '/api/packages', { signal });
  const { packages } = (await response.json().catch(() => ({}))) as { packages?: readonly Shown[] };
  if (!response.ok || !Array.isArray(packages))
    throw new Error(
      `${origin} answers ${response.status} to GET /api/packages: is it a ticket-booking server?`,
    );
  return packages;
}

async function ownPackage(origins: readonly string[], token: string, signal: AbortSignal): Promise<Chosen> {
  const [origin] = origins as readonly [string];
  const response = await ask(origin, '/api/admin/packages', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ flight: 'BENCH', stay: '2030-01-01', price: 100, quota: plenty }),
    signal,
  });
  if (response.status === 401 || response.status === 403)
    throw new Error(
      `${origin} does not take this admin token (${response.status}): it must be its ADMIN_TOKEN`,
    );
  if (response.status === 404 || response.status === 405)
    throw new Error(
      `${origin} has no POST /api/admin/packages (${response.status}): its release has no admin API, or its ADMIN_TOKEN is not set. Use --package <id> --spend, or --read-only.`,
    );
  const { id } = (await response.json().catch(() => ({}))) as { id?: unknown };
  if (!response.ok || typeof id !== 'number')
    throw new Error(`${origin} answers ${response.status} to POST /api/admin/packages, and no package`);
  await shownByAll(id, origins, signal);
  return {
    packages: [id],
    notes: [`Made package ${id} for this bench, with a quota of ${plenty}; it stays on sale.`],
  };
}

/** @throws Error with one line when they do not show the same one: a package of this id may be somebody's there. */
async function shownByAll(id: number, origins: readonly string[], signal: AbortSignal): Promise<void> {
  for (const until = performance.now() + spreadMs; origins.length > 1; ) {
    const [difference] = differences([id], origins, await reachAll(origins, signal));
    if (difference === undefined) return;
    if (performance.now() > until) throw new Error(`Nothing was bought. ${difference}`);
    await pause(betweenLooksMs, undefined, { signal });
  }
}

/** @throws Error in one line when it does not answer. */
async function ask(
  origin: string,
  path: string,
  init: RequestInit & { readonly signal: AbortSignal },
): Promise<Response> {
  const signal = AbortSignal.any([init.signal, AbortSignal.timeout(patienceMs)]);
  try {
    return await fetch(origin + path, { ...init, signal });
  } catch (error) {
    init.signal.throwIfAborted();
    const { cause = error } = error as { cause?: unknown };
    const why =
      cause instanceof Error ? cause.message || String((cause as { code?: unknown }).code) : String(cause);
    throw new Error(`${origin} does not answer: ${why}`, { cause: error });
  }
}
