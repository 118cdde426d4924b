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
