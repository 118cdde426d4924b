import type { Context } from 'hono';
import { z } from 'zod';
import { check } from '../body.ts';
import { keyBytesMax, keyInput } from '../inputs.ts';
import { ProblemError } from '../problem.ts';

const quoted = /^"(?<inner>(?:[^"\\]|\\["\\])*)"$/;

/** The header as it may be sent: the key, bare or in quotes. */
export const idempotencyKeyHeader = z
  .string()
  .transform((header) => {
    const inner = quoted.exec(header)?.groups?.inner;
    return inner === undefined ? header : inner.replace(/\\(.)/g, '$1');
  })
  .pipe(keyInput)
  // Two quotes around nothing are no key.
  .meta({ pattern: '^(?!""$)[\\x21-\\x7e]+$', maxLength: keyBytesMax });

/**
 * The `Idempotency-Key`, if there is one. The IETF draft writes it as a string in quotes (RFC 8941), most clients
 * write it bare: `"abc"` and `abc` are the same key.
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

/** What of `Prefer` (RFC 7240) we know how to honour. */
export interface Preferences {
  readonly respondAsync: boolean;
  /** Seconds. */
  readonly waitS?: number;
}

/** One preference of the list: a token, perhaps with a value, perhaps with parameters, which ours do not have. */
const preference =
  /(?<=^|,)[\t ]*(?<name>[\w!#$%&'*+.^`|~-]+)(?:[\t ]*=[\t ]*(?:(?<token>[\w!#$%&'*+.^`|~-]+)|"(?<quoted>(?:[^"\\]|\\.)*)"))?[\t ]*(?=[,;]|$)/g;

/** Unknown and malformed preferences are ignored, as the RFC asks; of two with one name, the first counts. */
export function parsePrefer(header: string | undefined): Preferences {
  const found = new Map<string, string>();
  // Within quotes a comma separates nothing; no value of ours has one, so such a string may as well be empty.
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

/** How long a purchase waits for its outcome, unless it is told to wait less. */
export const waitSMax = 10;

/** How long to wait: at most {@link waitSMax}; not at all for a mere `respond-async`. */
export function waitMs({ respondAsync, waitS }: Preferences): number {
  return 1000 * Math.min(waitS ?? (respondAsync ? 0 : waitSMax), waitSMax);
}

/** The header that tells which preferences an answer followed, if there were any. */
export function preferenceApplied(preferences: Preferences, status: number): Record<string, string> {
  const applied = [
    ...(preferences.respondAsync && status === 202 ? ['respond-async'] : []),
    ...(preferences.waitS === undefined ? [] : [`wait=${waitMs(preferences) / 1000}`]),
  ];
  return applied.length === 0 ? {} : { 'Preference-Applied': applied.join(', ') };
}
