import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { packageIdMax, type TravelPackage } from '../domain/travel-package.ts';
import { defined } from '../lib/defined.ts';
import { membersOf } from '../lib/json.ts';

const quotaMax = 10_000_000;
const instantExample = 'expected a date and time like 2026-11-27T18:00:00Z';

const instant = z.iso.datetime({ offset: true, error: instantExample }).transform((text) => Date.parse(text));

const travelPackage = z.strictObject({
  id: whole(1, packageIdMax),
  flight: z.string('expected a text').trim().min(1, 'is empty').max(100, 'is longer than 100 characters'),
  stay: z.iso.date('expected a date like 2022-08-09'),
  price: z.number({ error: priceAllowed }).refine((price) => Number.isSafeInteger(price) && price >= 0, {
    error: priceAllowed,
  }),
  quota: whole(0, quotaMax),
  opensAt: instant.optional(),
  closesAt: instant.optional(),
});

const listAllowed = 'expected a list with at least one package';

const packagesFile = z.strictObject(
  { packages: z.array(z.unknown(), listAllowed).min(1, listAllowed) },
  { error: (issue) => (issue.code === 'invalid_type' ? 'expected {"packages": […]}' : undefined) },
);

/** A mistake in the file, with its position. */
interface Mistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/**
 * Reads `{packages: [{id, flight, stay, price, quota, opensAt?, closesAt?}]}`, times as ISO date-times.
 * @throws Error with a line for each mistake, which names the file and the position of the mistake.
 */
export async function readPackagesFile(file: string): Promise<TravelPackage[]> {
  const content = await readJson(file);
  const whole = packagesFile.safeParse(content);
  const given = whole.data?.packages ?? listIn(content);
  const firstById = firstIndexes(given);
  const parsed = given.map((each) => travelPackage.safeParse(each));
  const mistakes: Mistake[] = [
    ...(whole.error?.issues ?? []),
    ...parsed.flatMap(({ error }, index) => [
      ...(error?.issues ?? []).map(({ path, message }) => ({ path: ['packages', index, ...path], message })),
      ...contradictionsIn(given[index], index, firstById),
    ]),
  ];
  if (mistakes.length > 0) {
    const lines = mistakes.map(({ path, message }) => `${file}: ${placeOf(path, given)}${message}`);
    throw new Error(lines.join('\n'));
  }
  return parsed.flatMap(({ data }) => (data === undefined ? [] : [withoutAbsent(data)]));
}

/** The packages whose night is before the UTC day of `now`, a Unix time in ms. */
export function withNightInThePast(packages: readonly TravelPackage[], now: number): TravelPackage[] {
  const today = new Date(now).toISOString().slice(0, 10);
  return packages.filter(({ stay }) => stay < today);
}

/** Mistakes that concern several values together. They are also found if other values are wrong. */
function contradictionsIn(given: unknown, index: number, firstById: ReadonlyMap<unknown, number>): Mistake[] {
  const { id, opensAt, closesAt } = membersOf(given);
  const first = firstById.get(id) ?? index;
  const window = z.object({ opensAt: instant, closesAt: instant }).safeParse({ opensAt, closesAt }).data;
  return [
    ...(typeof id === 'number' && first < index
      ? [{ path: ['packages', index, 'id'], message: `${id} is there twice, first at packages[${first}]` }]
      : []),
    ...(window !== undefined && window.opensAt >= window.closesAt
      ? [{ path: ['packages', index, 'closesAt'], message: 'must be after opensAt' }]
      : []),
  ];
}

function firstIndexes(given: readonly unknown[]): Map<unknown, number> {
  const first = new Map<unknown, number>();
  for (const [index, each] of given.entries()) {
    const { id } = membersOf(each);
    if (!first.has(id)) first.set(id, index);
  }
  return first;
}

function withoutAbsent({ opensAt, closesAt, ...rest }: z.output<typeof travelPackage>): TravelPackage {
  return { ...rest, ...defined({ opensAt, closesAt }), version: 1 };
}

function whole(min: number, max: number) {
  const allowed = `expected a whole number from ${min} to ${max}`;
  return z
    .number(allowed)
    .refine((value) => Number.isInteger(value) && value >= min && value <= max, allowed);
}

function priceAllowed({ input }: { readonly input?: unknown }): string {
  if (typeof input !== 'number' || Number.isInteger(input)) return 'expected a whole number from 0';
  const [below, above] = [Math.floor(input), Math.ceil(input)];
  return `prices have no cents: ${input} must be ${below < 0 ? above : `${below} or ${above}`}`;
}

async function readJson(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  try {
    return JSON.parse(text.replace(/^\ufeff/, ''));
  } catch (error) {
    throw new Error(`${file} is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

/** The position of a mistake as text, for example `packages[2].quota (package 7): `. */
function placeOf(path: readonly PropertyKey[], given: readonly unknown[]): string {
  if (path.length === 0) return '';
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  const [, index] = path;
  const { id } = typeof index === 'number' ? membersOf(given[index]) : {};
  const name = typeof id === 'number' ? ` (package ${id})` : '';
  return `${place.replace(/^\./, '')}${name}: `;
}

function listIn(content: unknown): readonly unknown[] {
  const { packages } = membersOf(content);
  return Array.isArray(packages) ? packages : [];
}
