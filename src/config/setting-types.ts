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

export function onOff(fallback: boolean) {
  return z
    .string()
    .transform((text) => text.toLowerCase())
    .refine((text) => Object.hasOwn(switchWords, text), 'on or off')
    .transform((text) => switchWords[text] as boolean)
    .default(fallback);
}

/** A bearer token. */
export function token() {
  return z.string().regex(/^[\x21-\x7e]{1,512}$/, '1 to 512 visible ASCII characters, no blanks');
}

export function url(protocols: readonly string[], example: string) {
  return z.string().refine((text) => isUrl(text, protocols), `a URL such as ${example}`);
}

export function isUrl(text: string, protocols: readonly string[]): boolean {
  const parsed = URL.canParse(text) ? new URL(text) : undefined;
  return parsed !== undefined && protocols.includes(parsed.protocol) && parsed.hostname !== '';
}

/** Normalised to the form of a browser's Origin header. */
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

/** `DATABASE_URL` */
export function database(text: string, context: z.RefinementCtx) {
  const file = /^sqlite:(?:\/\/)?(?<file>.+)$/i.exec(text)?.groups?.file;
  // Accepted orders have to survive the process (promise Q6), so a database in memory is refused.
  if (file !== undefined && !/^:memory:|[?\0]/.test(file)) return { kind: 'sqlite', file } as const;
  if (isMongoUrl(text)) return { kind: 'mongodb', url: text } as const;
  context.addIssue({ code: 'custom', message: databaseAllowed });
  return z.NEVER;
}

/** `URL` cannot parse the several hosts of a replica set. */
function isMongoUrl(text: string): boolean {
  return /^mongodb(\+srv)?:\/\/[^\s/?]+(\/[^\s]*)?$/i.test(text);
}

/** `REDLOCK_URLS` */
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
