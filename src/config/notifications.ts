import { z } from 'zod';
import { defined } from '../lib/defined.ts';
import { onOff, url, webhookSecret } from './setting-types.ts';

/** The sender of mails. */
export interface MailSender {
  /** Empty if mails show only the address. */
  readonly name: string;
  readonly address: string;
}

const senderAllowed = 'an email address, or a name with one: Hotel Example <tickets@hotel.example>';

/** Parses `MAIL_FROM`. A name has no character that ends a header or needs quotes to be understood. */
function mailFrom(text: string, context: z.RefinementCtx): MailSender {
  const named = /^(?<name>[^\p{Cc}<>"@,;:\\]{1,100}?)\s*<(?<address>[^<>\s]+)>$/u.exec(text)?.groups;
  const sender = { name: named?.name ?? '', address: named?.address ?? text };
  if (z.email().max(254).safeParse(sender.address).success) return sender;
  context.addIssue({ code: 'custom', message: senderAllowed });
  return z.NEVER;
}

/**
 * The options that an SMTP URL may have. Others would override the program's own, and could put addresses into the log.
 */
function hasTlsOptionsOnly(text: string): boolean {
  if (!URL.canParse(text)) return true;
  return [...new URL(text).searchParams.keys()].every((name) => /^(tls\.|requireTLS$)/.test(name));
}

/** The settings of mails and webhooks. All are off by default. */
export const notificationSettings = {
  SMTP_URL: url(['smtp:', 'smtps:'], 'smtp://user:password@mail.example:587')
    .refine(hasTlsOptionsOnly, 'a URL without other options than requireTLS and those that begin with tls.')
    .optional(),
  MAIL_FROM: z.string().transform(mailFrom).optional(),
  WEBHOOK_URL: url(['http:', 'https:'], 'https://hotel.example/events').optional(),
  WEBHOOK_SECRET: webhookSecret().optional(),
  WEBHOOK_PRIVATE_ADDRESSES: onOff().default(false),
};

type Settings = z.output<z.ZodObject<typeof notificationSettings>> & {
  readonly ENGINE: string;
  readonly PUBLIC_ORIGIN?: string | undefined;
};
type Name = keyof typeof notificationSettings;

/** What the settings lack, or contradict. A setting in `isWrong` is set, but wrong. */
export function notificationContradictions(
  read: Partial<Settings>,
  isWrong: ReadonlySet<string>,
): { readonly setting: Name; readonly allowed: string }[] {
  const lacks = (setting: keyof Settings) => read[setting] === undefined && !isWrong.has(setting);
  const found: { setting: Name; allowed: string }[] = [];
  const refuse = (setting: Name, allowed: string) => found.push({ setting, allowed });
  for (const setting of ['SMTP_URL', 'WEBHOOK_URL'] as const) {
    if (read[setting] === undefined) continue;
    // The other engines have no owner who could deliver the notices of a package in order.
    if (read.ENGINE !== 'actor' && !isWrong.has('ENGINE')) refuse(setting, 'it needs ENGINE=actor.');
  }
  if (read.WEBHOOK_URL !== undefined && lacks('WEBHOOK_SECRET')) {
    refuse('WEBHOOK_URL', 'it needs WEBHOOK_SECRET, which signs the events.');
  }
  return found;
}

/** The sender of mails that is not configured, at the host of this server. */
function ownSender(publicOrigin = 'http://localhost'): MailSender {
  return { name: 'Ticket Booking', address: `tickets@${new URL(publicOrigin).hostname}` };
}

/** What mails and webhooks need. Each is absent if it is off. */
export function notificationsOf(read: Settings) {
  const { SMTP_URL, MAIL_FROM, PUBLIC_ORIGIN, WEBHOOK_URL, WEBHOOK_SECRET } = read;
  return defined({
    mail: SMTP_URL === undefined ? undefined : { url: SMTP_URL, from: MAIL_FROM ?? ownSender(PUBLIC_ORIGIN) },
    webhook:
      WEBHOOK_URL === undefined || WEBHOOK_SECRET === undefined
        ? undefined
        : {
            url: WEBHOOK_URL,
            secret: WEBHOOK_SECRET,
            /** Whether the receiver may be in a private network. */
            allowsPrivate: read.WEBHOOK_PRIVATE_ADDRESSES,
          },
  });
}
