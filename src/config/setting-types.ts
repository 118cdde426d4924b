import { isIP } from 'node:net';
import { z } from 'zod';

/** A whole number within a range. */
export function whole(min: number, max: number, fallback: number) {
  const allowed = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,9}$/, allowed)
    .transform(Number)
    .refine((value) => value >= min && value <= max, allowed)
    .default(fallback);
}

/** A number from 0 to 1. */
export function rate(fallback: number) {
  const allowed = 'a number from 0 to 1';
  return z
    .string()
    .regex(/^(\d+(\.\d*)?|\.\d+)$/, allowed)
    .transform(Number)
    .refine((value) => value <= 1, allowed)
    .default(fallback);
}

export function oneOf<const Choice extends string>(choices: readonly Choice[], fallback: NoInfer<Choice>) {
  return z.enum(choices, `one of ${choices.join(', ')}`).default(fallback);
}

const switchWords: Readonly<Record<string, boolean>> = {
  on: true,
  true: true,
  yes: true,
  1: true,
  off: false,
  false: false,
  no: false,
  0: false,
};

export function onOff() {
  return z
    .string()
    .transform((text) => text.toLowerCase())
    .refine((text) => Object.hasOwn(switchWords, text), 'on or off')
    .transform((text) => switchWords[text] as boolean);
}

/** A bearer token. */
export function token() {
  return z.string().regex(/^[\x21-\x7e]{1,512}$/, '1 to 512 visible ASCII characters, no blanks');
}

/** The secret of Standard Webhooks: 24 to 64 bytes in base64, with or without `whsec_`. */
export function webhookSecret() {
  return z
    .string()
    .regex(/^(whsec_)?([A-Za-z0-9+/]{4})+([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, webhookSecretAllowed)
    .refine((text) => {
      const bytes = Buffer.from(text.replace(/^whsec_/, ''), 'base64').length;
      return bytes >= 24 && bytes <= 64;
    }, webhookSecretAllowed);
}

const webhookSecretAllowed = 'whsec_ and then 24 to 64 bytes in base64';

/** `off`, `simulated`, or the URL of a payment provider. */
export function payments() {
  return z
    .string()
    .refine(
      (text) => text === 'off' || text === 'simulated' || isUrl(text, ['http:', 'https:']),
      'off, simulated, or a URL such as https://pay.example/api',
    )
    .default('off');
}

export function url(protocols: readonly string[], example: string) {
  return z.string().refine((text) => isUrl(text, protocols), `a URL such as ${example}`);
}

function isUrl(text: string, protocols: readonly string[]): boolean {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  return parsed !== undefined && protocols.includes(parsed.protocol) && parsed.hostname !== '';
}

/** The origin of a URL, in the form of a browser's Origin header. */
export function origin() {
  return z
    .string()
    .transform((text) => text.replace(/\/$/, ''))
    .refine(
      (text) => isUrl(text, ['http:', 'https:']) && /^https?:\/\/[^/?#@]+$/i.test(text),
      'scheme, host and maybe port, for example https://tickets.example',
    )
    .transform((text) => new URL(text).origin);
}

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'));

export function isCurrency(code: string): boolean {
  return currencies.has(code);
}

const databaseAllowed = 'sqlite:<file>, for example sqlite:./data/booking.db, or mongodb://<host>/<database>';

/** Parses `DATABASE_URL`. */
export function database(text: string, context: z.RefinementCtx) {
  const file = /^sqlite:(?:\/\/)?(?<file>.+)$/i.exec(text)?.groups?.file;
  // Accepted orders must survive the process (promise Q6), so a database in memory is refused.
  if (file !== undefined && !/^:memory:|[?\0]/.test(file)) return { kind: 'sqlite', file } as const;
  if (isMongoUrl(text)) return { kind: 'mongodb', url: text } as const;
  context.addIssue({ code: 'custom', message: databaseAllowed });
  return z.NEVER;
}

/** Whether a text is a MongoDB URL. The class `URL` cannot check this, because it does not parse several hosts. */
function isMongoUrl(text: string): boolean {
  return /^mongodb(\+srv)?:\/\/[^\s/?]+(\/[^\s]*)?$/i.test(text);
}

/** Parses `REDLOCK_URLS`. */
export function redlockUrls(text: string, context: z.RefinementCtx): string[] {
  const urls = text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const isOdd = urls.length % 2 === 1;
  if (isOdd && urls.every((part) => isUrl(part, ['redis:', 'rediss:']))) return urls;
  context.addIssue({
    code: 'custom',
    message:
      'an odd number of Redis URLs with commas between, for example redis://a:6379,redis://b:6379,redis://c:6379',
  });
  return z.NEVER;
}

/** A count per time window. */
interface RateConfig {
  readonly count: number;
  /** Length of the window in whole seconds. */
  readonly windowS: number;
}

/**
 * The proxies whose `X-Forwarded-For` is trusted: a number of proxies in a row (0: none), or a list of addresses and
 * CIDR ranges.
 */
export type TrustProxy = number | readonly string[];

/** The longest window, in seconds. A restart resets the counts, so a longer window would not work as expected. */
const windowSMax = 86_400;
const unitsS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

/** A rate limit in the form `<count>/<duration>`. */
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

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A time such as `5m`, in ms. A number without a unit is in ms too. */
export function duration(minMs: number, maxMs: number, fallback: string) {
  const allowed = `a time from ${shortest(minMs)} to ${shortest(maxMs)}, for example 90s or ${fallback}`;
  return z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h)?$/, allowed)
    .default(fallback)
    .transform((text, context): number => {
      const [unit = 'ms'] = /[a-z]+$/.exec(text) ?? [];
      const ms = Number.parseInt(text, 10) * (unitsMs[unit] ?? 1);
      if (ms >= minMs && ms <= maxMs) return ms;
      context.addIssue({ code: 'custom', message: allowed });
      return z.NEVER;
    });
}

/** A whole time in its largest unit: 1_000 is 1s. */
function shortest(ms: number): string {
  const [unit, length] = Object.entries(unitsMs).findLast(([, unitMs]) => ms % unitMs === 0) ?? ['ms', 1];
  return `${ms / length}${unit}`;
}

const trustAllowed =
  'off, on, a number of proxies up to 16, or their addresses or CIDR ranges with commas between';

/** Parses `TRUST_PROXY`. */
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
  // An IPv4 range written as IPv6 with a short prefix would include every IPv4 address, which is probably a mistake.
  const bitsMin = /^::ffff:/i.test(address) ? 96 : 0;
  const bitsMax = version === 4 ? 32 : 128;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) >= bitsMin && Number(prefix) <= bitsMax;
}
