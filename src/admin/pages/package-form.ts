import { z } from 'zod';
import type { TravelPackage } from '../../domain/travel-package.ts';
import { shortText } from '../../http/inputs.ts';
import { priceMax, quotaMax } from '../package-service.ts';
import { formatCount } from './format.ts';

/** The fields of a package's form as text, as the browser sends and shows them. */
export interface PackageFields {
  readonly flight: string;
  readonly stay: string;
  readonly price: string;
  readonly opensAt: string;
  readonly closesAt: string;
}

const wholeText = (max: number) => {
  const advice = `must be a whole number from 0 to ${formatCount(max)}`;
  return z
    .string(advice)
    .trim()
    .regex(/^\d{1,10}$/, advice)
    .transform(Number)
    .refine((value) => value <= max, advice);
};

export const quotaField = wholeText(quotaMax);
const momentPattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?$/;
const momentAdvice = 'must be a date and a time, for example 2026-11-27T18:00';

/** The text of a `datetime-local` input, read as UTC. An empty text means no limit. */
const momentField = z
  .string()
  .trim()
  .default('')
  .refine((text) => text === '' || momentPattern.test(text), momentAdvice)
  .transform((text) => (text === '' ? undefined : Date.parse(`${text}Z`)))
  .refine((at) => at === undefined || !Number.isNaN(at), momentAdvice);

const offerFields = {
  flight: shortText(100, 'must be given')
    .transform((text) => text.trim())
    .refine((text) => text !== '', 'must be given'),
  stay: z.iso.date('must be a date, for example 2026-11-27'),
  price: wholeText(priceMax),
  opensAt: momentField,
  closesAt: momentField,
};

interface SaleTimes {
  readonly opensAt?: number | undefined;
  readonly closesAt?: number | undefined;
}

const opensFirst = ({ opensAt, closesAt }: SaleTimes) =>
  opensAt === undefined || closesAt === undefined || opensAt < closesAt;
const notFirst = { path: ['closesAt'], message: 'must be after the opening' };

const versionField = z
  .string()
  .regex(/^\d{1,15}$/, 'is missing')
  .transform(Number);

/** A checkbox sends `on` if it is checked, and nothing otherwise. */
const checkField = z.literal('on').optional();

export const editForm = z
  .object({
    ...offerFields,
    unlisted: checkField,
    version: versionField,
    confirmed: z.literal('yes').optional(),
  })
  .refine(opensFirst, notFirst);

export const createForm = z
  .object({
    ...offerFields,
    id: z
      .string()
      .trim()
      .regex(/^[1-9]\d{0,8}$/, 'must be a whole number, 1 or more')
      .transform(Number),
    quota: quotaField,
    paused: checkField,
    unlisted: checkField,
  })
  .refine(opensFirst, notFirst);

export const quotaForm = z.object({ quota: quotaField, version: versionField });

export function fieldsOf({ flight, stay, price, opensAt, closesAt }: TravelPackage): PackageFields {
  return { flight, stay, price: String(price), opensAt: momentText(opensAt), closesAt: momentText(closesAt) };
}

/** `2026-11-27T18:00`, with seconds and milliseconds if they are not zero. */
export function momentText(at: number | undefined): string {
  if (at === undefined) return '';
  return new Date(at).toISOString().replace(/(?::00)?(?:\.000)?Z$/, '');
}
