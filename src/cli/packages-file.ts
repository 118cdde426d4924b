import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { packageIdMax, type TravelPackage } from '../domain/travel-package.ts';

const instant = z.iso
  .datetime({ offset: true, error: 'expected a date and time like 2026-11-27T18:00:00Z' })
  .transform((text) => Date.parse(text));

const travelPackage = z
  .strictObject({
    id: z.int().min(1).max(packageIdMax),
    flight: z.string().trim().min(1).max(100),
    stay: z.iso.date('expected a date like 2022-08-09'),
    price: z.int().min(0),
    quota: z.int().min(0).max(10_000_000),
    opensAt: instant.optional(),
    closesAt: instant.optional(),
  })
  .refine(({ opensAt = 0, closesAt = Number.POSITIVE_INFINITY }) => opensAt < closesAt, {
    path: ['closesAt'],
    message: 'must be after opensAt',
  });

const packagesFile = z.strictObject({
  packages: z
    .array(travelPackage)
    .min(1)
    .superRefine((packages, context) => {
      const seen = new Set<number>();
      for (const [index, { id }] of packages.entries()) {
        if (seen.has(id))
          context.addIssue({ code: 'custom', path: [index, 'id'], message: `${id} is there twice` });
        seen.add(id);
      }
    }),
});

/**
 * Reads `{packages: [{id, flight, stay, price, quota, opensAt?, closesAt?}]}`, times as ISO date-times.
 * @throws Error with a line for each thing that is wrong, naming the file and where in it.
 */
export async function readPackagesFile(file: string): Promise<TravelPackage[]> {
  const parsed = packagesFile.safeParse(await readJson(file));
  if (!parsed.success) {
    const lines = parsed.error.issues.map(({ path, message }) => `${file}: ${placeOf(path)}${message}`);
    throw new Error(lines.join('\n'));
  }
  return parsed.data.packages.map(({ opensAt, closesAt, ...rest }) => ({
    ...rest,
    ...(opensAt === undefined ? {} : { opensAt }),
    ...(closesAt === undefined ? {} : { closesAt }),
    version: 1,
  }));
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

/** `packages[2].quota: ` */
function placeOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  const place = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return `${place.replace(/^\./, '')}: `;
}
