import { isIP } from 'node:net';
import { z } from 'zod';

/** How often something may be done. */
export interface RateConfig {
  readonly count: number;
  /** Whole seconds. */
  readonly windowS: number;
}

/** What one client may do to the server, or one email be used for. */
export interface LimitsConfig {
  /** Purchases of a client. */
  readonly purchases: RateConfig;
  /** Purchases with an email, whoever makes them. */
  readonly purchasesPerEmail: RateConfig;
  /** Orders looked up or cancelled by a client. */
  readonly lookUps: RateConfig;
  /** Looks of a client at what is on sale. */
  readonly reads: RateConfig;
  /** Sockets opened by a client. */
  readonly sockets: RateConfig;
  /** Sockets that a client has open; 0: any number. */
  readonly socketsPerClient: number;
  /** Connections that a client has open; 0: any number. */
  readonly connectionsPerClient: number;
}

/**
 * Whose `X-Forwarded-For` is believed: nobody's (0), that of so many proxies one behind the other, or that of
 * proxies at these addresses or in these CIDR ranges.
 */
export type TrustProxy = number | readonly string[];

/** Counting begins anew at a restart: a longer window would promise what nobody keeps. */
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
  // A range of IPv4 in the clothes of IPv6 would be everybody, by a slip of the pen.
  const bitsMin = /^::ffff:/i.test(address) ? 96 : 0;
  const bitsMax = version === 4 ? 32 : 128;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= bitsMin && Number(prefix) <= bitsMax;
}
