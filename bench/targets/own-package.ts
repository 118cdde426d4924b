import { setTimeout as pause } from 'node:timers/promises';
import { answerInWords, jsonOf, requestAdmin, type Target } from './target.ts';

/** A package that the bench created and archives at its end. */
export interface OwnPackage {
  readonly id: number;
  /** Whether customers see it: older versions cannot hide packages. */
  readonly isListed: boolean;
  /**
   * Ends the sale, waits until no order is held or waiting, and archives the package. Never throws.
   * @param beforeArchive runs while no order is open.
   * @returns the result as a sentence for the user.
   */
  retire(beforeArchive?: () => Promise<void>): Promise<string>;
}

/** More units than a bench can sell. */
export const plenty = 10_000_000;
/** A saga takes seconds; more if a supplier does not answer. */
const restMs = 30_000;
const betweenLooksMs = 200;
const yearMs = 365 * 86_400_000;

/**
 * Creates an unlisted package by the admin API.
 * @throws Error with one line of advice if that is not possible.
 */
export async function makeOwnPackage(target: Target, restWithinMs = restMs): Promise<OwnPackage> {
  const stay = new Date(Date.now() + yearMs).toISOString().slice(0, 10);
  const params = { flight: 'BENCH', stay, price: 100, quota: plenty };
  // Without a signal: an aborted creation could leave a package behind.
  const post = (body: object) => requestAdmin(target, '/api/admin/packages', { method: 'POST', body });
  const unlisted = await post({ ...params, listed: false });
  // An older version does not know `listed`.
  const isListed = unlisted.status === 422;
  const response = isListed ? await post(params) : unlisted;
  const { id, version } = await created(response, target.origins[0] as string);
  return {
    id,
    isListed,
    retire: (beforeArchive) => retired(target, { id, version, isListed }, { beforeArchive, restWithinMs }),
  };
}

async function created(response: Response, origin: string): Promise<{ id: number; version: number }> {
  const { status } = response;
  if (status === 401 || status === 403)
    throw new Error(`${origin} does not take this admin token (${status}): it must be its ADMIN_TOKEN`);
  if (status === 404 || status === 405)
    throw new Error(
      `${origin} has no POST /api/admin/packages (${status}): its ADMIN_TOKEN is not set, or its release has no admin API. Use --package <id> --spend, or --read-only.`,
    );
  const { id, version = 1 } = await jsonOf(response);
  if (!response.ok || typeof id !== 'number' || typeof version !== 'number')
    throw new Error(`${origin} answers ${status} to POST /api/admin/packages, and no package`);
  return { id, version };
}

interface EndedPackage {
  readonly id: number;
  readonly version: number;
  readonly isListed: boolean;
}

interface Retirement {
  readonly beforeArchive: (() => Promise<void>) | undefined;
  readonly restWithinMs: number;
}

async function retired(
  target: Target,
  own: EndedPackage,
  { beforeArchive, restWithinMs }: Retirement,
): Promise<string> {
  const { id, isListed } = own;
  const until = performance.now() + restWithinMs;
  try {
    await endSale(target, own);
    const atRest = await comesToRest(target, id, until);
    await beforeArchive?.();
    if (!atRest) throw new Error(`something of it is still held or waiting after ${restWithinMs / 1000} s`);
    const isArchived = await archive(target, id, until);
    if (isArchived) return `Package ${id}, made for this bench, is archived.`;
    const where = isListed ? 'on the customers’ page and in /admin' : 'in /admin';
    return `Package ${id}, made for this bench, is paused and stays ${where}: this release cannot archive a package.`;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const url = `${target.origins[0]}/api/admin/packages/${id}`;
    return (
      `WARNING: package ${id}, made for this bench, could not be archived: ${why}. Do it in /admin, or with ` +
      `curl -X POST -H "Authorization: Bearer $ADMIN_TOKEN" ${url}/pause and then ${url}/archive.`
    );
  }
}

/** @throws Error with the reason if it is refused. */
async function endSale(target: Target, { id, version }: EndedPackage): Promise<void> {
  const path = `/api/admin/packages/${id}`;
  const patch = (known: number) =>
    requestAdmin(target, path, { method: 'PATCH', body: { version: known, paused: true } });
  let response = await patch(version);
  if (response.status === 409) {
    // An operator has changed the package: retry with its current version.
    const present = await jsonOf(await requestAdmin(target, path));
    if (typeof present.version === 'number') response = await patch(present.version);
  }
  if (!response.ok) throw new Error(`its sale cannot be paused (${await answerInWords(response)})`);
}

/** @returns whether no order is held, waiting or being cancelled any more. */
async function comesToRest(target: Target, id: number, until: number): Promise<boolean> {
  for (;;) {
    const response = await requestAdmin(target, `/api/admin/packages/${id}`);
    if (!response.ok) throw new Error(`it cannot be looked at (${await answerInWords(response)})`);
    const { held = 0, waiting = 0, cancelling = 0 } = await jsonOf(response);
    if (held === 0 && waiting === 0 && cancelling === 0) return true;
    if (performance.now() > until) return false;
    await pause(betweenLooksMs);
  }
}

/** @returns false for a version without an archive. */
async function archive(target: Target, id: number, until: number): Promise<boolean> {
  for (;;) {
    const response = await requestAdmin(target, `/api/admin/packages/${id}/archive`, { method: 'POST' });
    if (response.ok) return true;
    if (response.status === 404 || response.status === 405) return false;
    const words = await answerInWords(response);
    if (response.status !== 409 || performance.now() > until) throw new Error(`it is refused (${words})`);
    await pause(betweenLooksMs);
  }
}
