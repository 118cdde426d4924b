import type { ShownPackage } from './shown-packages.ts';

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
