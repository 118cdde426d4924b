import type { TargetsWish } from '../arguments.ts';

export interface Chosen {
  readonly packages: readonly number[];
  /** What the user has to know about them. */
  readonly notes: readonly string[];
}

/** As `GET /api/packages` shows it. */
interface Shown {
  readonly id: number;
  readonly remaining: number;
}

/** Never sold out within a bench. */
const plenty = 10_000_000;
const patienceMs = 10_000;

/**
 * Chooses what is bought, so that nobody's quota is spent unasked: packages that were named with `--spend`, or one
 * made for this bench with the admin token.
 * @throws Error with one line that says what to do, where nothing may be bought.
 */
export async function choosePackages(wish: TargetsWish, signal: AbortSignal): Promise<Chosen> {
  const shown = await reachAll(wish.origins, signal);
  const known = new Set(shown.map(({ id }) => id));
  const missing = wish.packages.filter((id) => !known.has(id));
  if (missing.length > 0) throw new Error(`${wish.origins[0]} has no package ${missing.join(', ')}`);
  if (wish.isReadOnly) return looked(wish, shown);
  if (wish.packages.length > 0 && wish.isSpendingAllowed) {
    return {
      packages: wish.packages,
      notes: [`Buys package ${wish.packages.join(', ')}, whose quota is spent.`],
    };
  }
  if (wish.packages.length > 0)
    throw new Error(
      'This would spend the quota of those packages: say --spend as well, or look them up with --read-only.',
    );
  if (wish.adminToken !== undefined) return ownPackage(wish.origins[0] as string, wish.adminToken, signal);
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

/** @returns the packages of the first one. */
async function reachAll(origins: readonly string[], signal: AbortSignal): Promise<readonly Shown[]> {
  const all = await Promise.all(origins.map((origin) => packagesOf(origin, signal)));
  return all[0] ?? [];
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

async function ownPackage(origin: string, token: string, signal: AbortSignal): Promise<Chosen> {
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
  return {
    packages: [id],
    notes: [`Made package ${id} for this bench, with a quota of ${plenty}; it stays.`],
  };
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
