import { jsonOf, requestTarget, type Target } from './target.ts';

/** As in the answer of `GET /api/packages/:id`. */
export interface ShownPackage {
  readonly id: number;
  readonly flight?: string;
  readonly stay?: string;
  readonly price?: number;
  readonly quota?: number;
}

/** Concurrent requests: few enough to stay below read limits. */
const atOnce = 20;

/**
 * The listed packages of each instance.
 * @throws Error with one line if an instance does not answer or is another kind of server.
 */
export function listedAt(target: Target, signal: AbortSignal): Promise<(readonly ShownPackage[])[]> {
  return Promise.all(target.origins.map((origin) => packagesOf(target, origin, signal)));
}

/** These packages as each instance shows them, listed or not; unknown ones are left out. */
export function shownAt(
  target: Target,
  ids: readonly number[],
  signal: AbortSignal,
): Promise<(readonly ShownPackage[])[]> {
  return Promise.all(
    target.origins.map(async (origin) => {
      const all: ShownPackage[] = [];
      for (let first = 0; first < ids.length; first += atOnce) {
        const some = ids
          .slice(first, first + atOnce)
          .map((id) => requestTarget(target, origin, `/api/packages/${id}`, { signal }));
        for (const response of await Promise.all(some)) {
          const shown = await jsonOf(response);
          if (response.ok && typeof shown.id === 'number') all.push({ ...shown, id: shown.id });
        }
      }
      return all;
    }),
  );
}

async function packagesOf(
  target: Target,
  origin: string,
  signal: AbortSignal,
): Promise<readonly ShownPackage[]> {
  const response = await requestTarget(target, origin, '/api/packages', { signal });
  const { packages } = await jsonOf(response);
  if (!response.ok || !Array.isArray(packages))
    throw new Error(
      `${origin} answers ${response.status} to GET /api/packages: is it a ticket-booking server?`,
    );
  return packages as readonly ShownPackage[];
}

const compared = ['flight', 'stay', 'price', 'quota'] as const;
const namedMax = 5;

/**
 * Finds instances that show other packages than the first one. They belong to another deployment: purchases sent there
 * would buy something else, or nothing.
 * @param shown the packages of each origin.
 * @returns one line for each of these origins.
 */
export function differences(
  packages: readonly number[],
  origins: readonly string[],
  shown: readonly (readonly ShownPackage[])[],
): string[] {
  const [firstOrigin, ...otherOrigins] = origins;
  const [first, ...others] = shown.map((all) => new Map(all.map((each) => [each.id, factsOf(each)])));
  return otherOrigins.flatMap((origin, index) => {
    const differing = packages.filter((id) => others[index]?.get(id) !== first?.get(id));
    if (differing.length === 0) return [];
    const more = differing.length > namedMax ? ` and ${differing.length - namedMax} more` : '';
    const named = `${differing.slice(0, namedMax).join(', ')}${more}`;
    return [
      `${origin} does not show package ${named} as ${firstOrigin} does: are they instances of one deployment?`,
    ];
  });
}

function factsOf(shown: ShownPackage): string {
  return JSON.stringify(compared.map((fact) => shown[fact]));
}
