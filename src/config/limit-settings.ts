import { isIP } from 'node:net';
import { z } from 'zod';

/** A count per time window. */
export interface RateConfig {
  readonly count: number;
  /** Whole seconds. */
  readonly windowS: number;
}

/** The limits per client and per email. */
export interface LimitsConfig {
  /** Purchases of a client. */
  readonly purchases: RateConfig;
  /** Purchases with an email, of all clients. */
  readonly purchasesPerEmail: RateConfig;
  /** Orders looked up or cancelled by a client. */
  readonly lookUps: RateConfig;
  /** Reads of packages and pages by a client. */
  readonly reads: RateConfig;
  /** Sockets opened by a client. */
  readonly sockets: RateConfig;
  /** Open sockets of a client; 0: any number. */
  readonly socketsPerClient: number;
  /** Open connections of a client; 0: any number. */
  readonly connectionsPerClient: number;
}

/**
 * The proxies whose `X-Forwarded-For` is trusted: a number of proxies in a row (0: none), or a list of addresses and CIDR
 * ranges.
 */
export type TrustProxy = number | readonly string[];

/** A restart resets the counts, so a longer window would not work as expected. */
const windowSMax = 86_400;
const unitsS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** `<count>/<duration>` */
export function rateLimit(fallback: string) {
  return z
    .string()
    .regex(
      /^[1-9]\d{0,8}\/([1-9]\d{0,3})?[smh]$/,
      'a count per duration, for example 500/10s, 30/m or 1000/1h',
    )
    .default(fallback)
    .transform((text, context): RateConfig => {
      const [count = '', duration = ''] = text.split('/');
      const unitS = unitsS[duration.at(-1) ?? ''] ?? 1;
      const windowS = Number(duration.slice(0, -1) || 1) * unitS;
      if (windowS <= windowSMax) return { count: Number(count), windowS };
      context.addIssue({ code: 'custom', message: 'a count per duration of 24h at most' });
      return z.NEVER;
    });
}

const trustAllowed =
  'off, on, a number of proxies up to 16, or their addresses or CIDR ranges with commas between';

/** `TRUST_PROXY` */
export function trustProxy() {
  return z
    .string()
    .default('off')
    .transform((text, context): TrustProxy => {
      const word = text.toLowerCase();
      if (/^(off|false|no|0)$/.test(word)) return 0;
      if (/^(on|true|yes)$/.test(word)) return 1;
      if (/^\d{1,2}$/.test(word) && Number(word) <= 16) return Number(word);
      const ranges = text.split(',').map((range) => range.trim());
      if (ranges.every(isRange)) return ranges;
      context.addIssue({ code: 'custom', message: trustAllowed });
      return z.NEVER;
    });
}

function isRange(text: string): boolean {
  const [address = '', prefix] = text.split('/', 2);
  const version = isIP(address);
  if (version === 0 || address.includes('%') || text.split('/').length > 2) return false;
  if (prefix === undefined) return true;
  // An IPv4 range written as IPv6 with a short prefix would include every address, probably by mistake.
  const bitsMin = /^::ffff:/i.test(address) ? 96 : 0;
  const bitsMax = version === 4 ? 32 : 128;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= bitsMin && Number(prefix) <= bitsMax;
}
