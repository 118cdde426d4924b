import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sampleOrderAt } from '../../../test/contract/samples.ts';
import { type MailServer, type ReceivedMail, startMailServer } from '../../../test/support/mail-server.ts';
import type { NoticeEvent, OrderAt } from '../../domain/notices.ts';
import type { Order } from '../../domain/order.ts';
import { isOrderSignature } from '../../http/order-access.ts';
import { Abort } from '../../lib/abort.ts';
import type { Channel } from '../channel.ts';
import { DeliveryError } from '../channel.ts';
import { mailChannel } from './mail-channel.ts';

const secret = 's'.repeat(32);
let server: MailServer;
let channel: Channel;

beforeEach(async () => {
  server = await startMailServer();
  channel = makeChannel(server.url);
});
afterEach(async () => {
  channel.close();
  await server.close();
});

function makeChannel(url: string): Channel {
  return mailChannel({
    ...{ url, secret, currency: 'EUR', origin: () => 'https://tickets.example' },
    from: { name: 'Hôtel', address: 'tickets@hotel.example' },
  });
}

const reserved = { flight: { ticketNumber: 'F-1234' }, hotel: { reservationNumber: 'H-5678' } };

function notice(event: NoticeEvent, over: Partial<Order> = {}): OrderAt {
  return sampleOrderAt(event, { ...reserved, ...over });
}

const deliver = (...args: Parameters<typeof notice>) => channel.deliver(notice(...args), new Abort());

async function failure(work: Promise<void>): Promise<DeliveryError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof DeliveryError)) throw new Error(`not a DeliveryError: ${String(error)}`);
  return error;
}

describe('a mail', () => {
  test('about a confirmed order has its number, its trip, its private link and its calendar file', async () => {
    await deliver('confirmed');
    const [mail] = server.mails as [ReceivedMail];
    expect(mail).toMatchObject({ from: 'tickets@hotel.example', to: ['buyer1@example.com'] });
    expect(mail.header).toMatch(/^Subject: Your trip is booked$/m);
    expect(mail.header).toMatch(/^To: buyer1@example\.com$/m);
    expect(mail.header).toMatch(/^Auto-Submitted: auto-generated$/m);
    const { text } = mail;
    for (const part of ['7Q4M-9XKD-2VBN-H5TR', 'Flight-1', 'Tue, 9 Aug 2022', '€100', 'F-1234', 'H-5678']) {
      expect(text).toContain(part);
    }
    const [, proof = ''] =
      /https:\/\/tickets\.example\/orders\/7Q4M-9XKD-2VBN-H5TR\?proof=([\w-]+)/.exec(text) ?? [];
    expect(isOrderSignature(secret, '7Q4M-9XKD-2VBN-H5TR', proof)).toBe(true);
    expect(text).toContain('BEGIN:VCALENDAR');
    expect(mail.raw).toContain('filename=trip-2022-08-09.ics');
  });

  test('is in German for an order in German, with its calendar file', async () => {
    await deliver('confirmed', { language: 'de' });
    const [mail] = server.mails as [ReceivedMail];
    expect(mail.header).toMatch(/^Subject: Ihre Reise ist gebucht$/m);
    const { text } = mail;
    const parts = [
      'Bestellnummer: 7Q4M-9XKD-2VBN-H5TR',
      'Di., 9. Aug. 2022',
      '100\u00a0€',
      'Bestellung öffnen:',
    ];
    for (const part of [...parts, '<html lang="de">', 'SUMMARY:Flug: Flight-1']) expect(text).toContain(part);
    expect(mail.raw).toContain('filename=reise-2022-08-09.ics');
    for (const word of ['Order number', 'Night', 'Price', 'Your']) expect(text).not.toContain(word);
  });

  test('is in English in a language that only a newer release knows', async () => {
    await deliver('cancelled', { language: 'fr' });
    expect(server.mails[0]?.header).toMatch(/^Subject: Your trip is cancelled$/m);
  });

  test.each(['failed', 'cancelled'] as const)('about a %s order has no calendar file', async (event) => {
    await deliver(event, { reason: 'flight_unavailable' });
    expect(server.mails[0]?.text).not.toContain('BEGIN:VCALENDAR');
    expect(server.mails[0]?.header).toMatch(/^Subject: Your trip (was not booked|is cancelled)$/m);
  });

  test.each(['payment_expired', 'payment_abandoned'] as const)(
    'Q11 about an order that failed with %s says that a payment that came after all is refunded',
    async (reason) => {
      await deliver('failed', { reason });
      await deliver('failed', { reason, language: 'de' });
      const [english, german] = server.mails;
      expect(english?.text.replace(/\s+/g, ' ')).toContain('your payment is refunded');
      expect(german?.text.replace(/\s+/g, ' ')).toContain('wird Ihre Zahlung erstattet');
    },
  );

  test('has the same id each time it is sent, and the id tells nothing of the order', async () => {
    await deliver('confirmed');
    await deliver('confirmed');
    await deliver('cancelled');
    const ids = server.mails.map(({ id }) => id);
    expect(ids[0]).toMatch(/^<[0-9a-f]{32}@hotel\.example>$/);
    expect(ids[1]).toBe(ids[0]);
    expect(ids[2]).not.toBe(ids[0]);
  });

  test('escapes what operators and suppliers have written', async () => {
    await deliver('confirmed', {
      package: { flight: '<script>x</script>\r\nBcc: eve@example.com', stay: '2022-08-09', price: 1 },
    });
    const [mail] = server.mails as [ReceivedMail];
    expect(mail.text).toContain('&lt;script&gt;x&lt;/script&gt;');
    expect(mail.header).not.toMatch(/^Bcc:/im);
    expect(mail.to).toEqual(['buyer1@example.com']);
  });

  test.each(['ana@xn--bcher-kva.example', `${'a'.repeat(65)}@example.com`])(
    'is sent to %s',
    async (email) => {
      await deliver('confirmed', { email });
      expect(server.mails).toHaveLength(1);
      // The test's mail server shows a recipient's domain in its other letters, and the header as it was sent.
      expect(`${server.mails[0]?.header}\r\n`).toContain(`\r\nTo: ${email}\r\n`);
    },
  );

  test.each([
    'a@example.com\r\nBcc: eve@example.com',
    'a@example.com,eve@example.com',
    '<a@example.com> <eve@example.com>',
    'a b@example.com',
    'ünï@example.com',
  ])('is never sent to %j', async (email) => {
    const error = await failure(deliver('confirmed', { email }));
    expect(error).toMatchObject({ message: 'no email address', isFinal: true, isOfRecipient: true });
    expect(server.mails).toEqual([]);
  });

  test('asks nobody to pay for an order that is not payable any more', async () => {
    await channel.deliver({ ...notice('payable'), isPast: true }, new Abort());
    await channel.deliver({ ...notice('confirmed'), isPast: true }, new Abort());
    await channel.deliver(notice('payable'), new Abort());
    const subjects = server.mails.map(({ header }) => /^Subject: (.*)$/m.exec(header)?.[1]);
    expect(subjects).toEqual(['Your trip is booked', 'Please pay for your trip']);
  });

  test('is not sent to an erased email', async () => {
    await deliver('confirmed', { email: 'erased-1@erased.invalid' });
    expect(server.mails).toEqual([]);
  });
});

describe('a failure', () => {
  test.each([
    [550, true],
    [450, false],
  ])('of the recipient with %i is told by its code alone', async (code, isFinal) => {
    server.refuse('buyer1@example.com', code);
    const error = await failure(deliver('confirmed'));
    expect(error).toMatchObject({ message: `SMTP ${code}`, isFinal, isOfRecipient: true });
  });

  test('to connect is tried again', async () => {
    channel.close();
    channel = makeChannel('smtp://127.0.0.1:1');
    const error = await failure(deliver('confirmed'));
    expect(error.message).toMatch(/ECONNREFUSED/);
    expect(error).toMatchObject({ isFinal: false, isOfRecipient: false });
  });

  test('Q12 a server that hangs is left when the delivery is ended', async () => {
    server.hang();
    const ending = new Abort();
    const work = channel.deliver(notice('confirmed'), ending);
    const failed = failure(work);
    await expect.poll(() => server.mails.length).toBe(1);
    ending.abort();
    expect((await failed).isFinal).toBe(false);
  });
});
