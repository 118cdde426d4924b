import type { Context } from 'hono';
import { z } from 'zod';
import { check } from '../body.ts';
import { keyBytesMax, keyInput } from '../inputs.ts';
import { ProblemError } from '../problem.ts';

const quoted = /^"(?<inner>(?:[^"\\]|\\["\\])*)"$/;

/** The `Idempotency-Key` header: the key, with or without quotes. */
export const idempotencyKeyHeader = z
  .string()
  .transform((header) => {
    const inner = quoted.exec(header)?.groups?.inner;
    return inner === undefined ? header : inner.replace(/\\(.)/g, '$1');
  })
  .pipe(keyInput)
  // An empty quoted string is not a valid key.
  .meta({ pattern: '^(?!""$)[\\x21-\\x7e]+$', maxLength: keyBytesMax });

/**
 * Reads the `Idempotency-Key`; undefined without the header. The IETF draft writes it in quotes (RFC 8941), but most
 * clients do not: `"abc"` and `abc` are the same key.
 * @throws ProblemError 422 unless it is 1 to 255 visible ASCII characters.
 */
export function readIdempotencyKey(c: Context): string | undefined {
  const header = c.req.header('idempotency-key');
  if (header === undefined) return undefined;
  const checked = check(idempotencyKeyHeader, header);
  if ('value' in checked) return checked.value;
  const errors = checked.errors.map(({ message }) => ({ path: 'Idempotency-Key', message }));
  throw new ProblemError('invalid', { errors });
}

/** The preferences in `Prefer` (RFC 7240) that the API supports. */
export interface Preferences {
  readonly respondAsync: boolean;
  /** In seconds. */
  readonly waitS?: number;
}

/**
 * One preference: a token with an optional value. Parameters after the value are ignored, because no supported
 * preference has any.
 */
const preference =
  /(?<=^|,)[\t ]*(?<name>[\w!#$%&'*+.^`|~-]+)(?:[\t ]*=[\t ]*(?:(?<token>[\w!#$%&'*+.^`|~-]+)|"(?<quoted>(?:[^"\\]|\\.)*)"))?[\t ]*(?=[,;]|$)/g;

/**
 * Ignores unknown and malformed preferences, as RFC 7240 requires. Of two preferences with the same name, the first
 * counts.
 */
export function parsePrefer(header: string | undefined): Preferences {
  const found = new Map<string, string>();
  // Empties quoted strings that contain a comma or semicolon. Inside quotes these characters do not separate
  // preferences, and no supported value contains them.
  const list = (header ?? '').slice(0, 1000).replace(/"(?:[^"\\]|\\.)*[,;](?:[^"\\]|\\.)*"/g, '""');
  for (const { groups } of list.matchAll(preference)) {
    const name = (groups?.name ?? '').toLowerCase();
    if (!found.has(name)) found.set(name, groups?.token ?? groups?.quoted ?? '');
  }
  const wait = found.get('wait') ?? '';
  return {
    respondAsync: found.get('respond-async') === '',
    ...(/^\d{1,9}$/.test(wait) ? { waitS: Number(wait) } : {}),
  };
}

/** The longest wait for the outcome of a purchase, and the default, in seconds. */
export const waitSMax = 10;

/** How long to wait for an outcome, in ms. Zero for `respond-async` without `wait`. */
export function waitMs({ respondAsync, waitS }: Preferences): number {
  return 1000 * Math.min(waitS ?? (respondAsync ? 0 : waitSMax), waitSMax);
}

/** `Preference-Applied`: the preferences that this answer followed; without any, there is no header. */
export function preferenceApplied(preferences: Preferences, status: number): Record<string, string> {
  const applied = [
    ...(preferences.respondAsync && status === 202 ? ['respond-async'] : []),
    ...(preferences.waitS === undefined ? [] : [`wait=${waitMs(preferences) / 1000}`]),
  ];
  return applied.length === 0 ? {} : { 'Preference-Applied': applied.join(', ') };
}
