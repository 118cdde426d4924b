import { createTransport } from 'nodemailer';
import { emailInput } from '../../http/email.ts';
import { abortSignalOf } from '../../lib/abort.ts';
import { type Channel, DeliveryError } from '../channel.ts';
import { type OrderMailOptions, orderMail } from './order-mail.ts';

export interface MailChannelOptions extends Omit<OrderMailOptions, 'publicOrigin'> {
  /** The origin of the links, once the server listens. */
  readonly origin: () => string;
  /** `smtp://` upgrades to TLS if the server offers it, `smtps://` begins with TLS. May contain a user and password. */
  readonly url: string;
  readonly from: { readonly name: string; readonly address: string };
}

/** Mail servers admit few connections of one client. */
const deliveriesMax = 8;
const timeouts = {
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  dnsTimeout: 10_000,
  /** Without a byte in either direction. */
  socketTimeout: 20_000,
};

/** Sends mails through an SMTP server. */
export function mailChannel({ url, from, origin, ...content }: MailChannelOptions): Channel {
  const transport = createTransport({
    ...{ url, ...timeouts, pool: true, maxConnections: deliveriesMax },
    // No text of a mail is ever a path or a URL of something to attach.
    ...{ disableFileAccess: true, disableUrlAccess: true },
    // The library would log addresses.
    ...{ logger: false, debug: false, transactionLog: false },
  });
  // The delivery that fails gets the error too.
  transport.on('error', () => {});
  const host = from.address.slice(from.address.lastIndexOf('@') + 1);
  return {
    ...{ name: 'mail', deliveriesMax },
    async deliver(notice, signal) {
      // Nobody is asked to pay for an order that is paid by now, or over.
      if (notice.event === 'payable' && notice.isPast) return;
      const { to, id, attachments, ...texts } = orderMail(notice, { ...content, publicOrigin: origin() });
      // The email was erased: nobody is left to be told. No mail server serves this domain (RFC 2606).
      if (to.endsWith('.invalid')) return;
      // Addresses were checked at the purchase. Nothing else may become a header or a second recipient.
      const recipient = emailInput.safeParse(to);
      if (!recipient.success)
        throw new DeliveryError('no email address', { isFinal: true, isOfRecipient: true });
      const mail = {
        ...texts,
        from,
        to: { name: '', address: recipient.data },
        messageId: `<${id}@${host}>`,
        attachments: [...attachments],
        // Keeps other programs from answering (RFC 3834).
        headers: { 'Auto-Submitted': 'auto-generated' },
      };
      try {
        await transport.sendMail({ ...mail, signal: abortSignalOf(signal) });
      } catch (error) {
        throw explain(error);
      }
    },
    close: () => transport.close(),
  };
}

/** The members of nodemailer's errors that contain no address and no text of the server. */
interface SmtpError {
  readonly code?: unknown;
  readonly originalCode?: unknown;
  readonly command?: unknown;
  readonly responseCode?: unknown;
  readonly permanent?: unknown;
}

/** The server's texts contain addresses, so only its codes are kept. */
function explain(error: unknown): DeliveryError {
  const { code, originalCode, command, responseCode, permanent } = error as SmtpError;
  if (typeof responseCode === 'number') {
    // A refusal of the recipient or of the text. One of the log-in or of the sender ends when the settings are corrected.
    const isOfRecipient = command === 'RCPT TO';
    const isFinal = permanent === true && (isOfRecipient || code === 'EMESSAGE');
    return new DeliveryError(`SMTP ${responseCode}`, { isFinal, isOfRecipient });
  }
  const codes = [code, originalCode].filter(
    (each) => typeof each === 'string' && /^[A-Z_]{1,40}$/.test(each),
  );
  return new DeliveryError(codes.length === 0 ? 'unknown error' : [...new Set(codes)].join(' '));
}
