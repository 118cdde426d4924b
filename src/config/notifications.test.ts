import { describe, expect, it } from 'vitest';
import { readConfig } from './config.ts';

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const mail = {
  SMTP_URL: 'smtps://user:p%40ss@mail.example',
  MAIL_FROM: 'tickets@hotel.example',
  PUBLIC_ORIGIN: 'https://tickets.example',
};
const webhook = { WEBHOOK_URL: 'https://hotel.example/events', WEBHOOK_SECRET: secret };
const cluster = { DATABASE_URL: 'mongodb://m/?replicaSet=rs0', REDIS_URL: 'redis://r' };

function refusal(environment: Readonly<Record<string, string>>): string {
  try {
    readConfig(environment);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('it was accepted');
}

describe('mails and webhooks', () => {
  it('are off by default', () => {
    expect(readConfig({}).notifications).toEqual({});
    expect(readConfig({ PUBLIC_ORIGIN: mail.PUBLIC_ORIGIN, ...{ MAIL_FROM: 'a@b.example' } })).toMatchObject({
      notifications: {},
    });
  });

  it('are on with their settings', () => {
    expect(readConfig({ ...mail, ...webhook }).notifications).toEqual({
      mail: {
        url: mail.SMTP_URL,
        from: { name: '', address: 'tickets@hotel.example' },
      },
      webhook: { url: webhook.WEBHOOK_URL, secret, allowsPrivate: false },
    });
  });

  it('may have options of TLS in the URL of the mail server', () => {
    const SMTP_URL = 'smtp://h:2525?tls.rejectUnauthorized=false&requireTLS=true';
    expect(readConfig({ ...mail, SMTP_URL }).notifications.mail?.url).toBe(SMTP_URL);
  });

  it('may send to private addresses if that is asked for', () => {
    const { notifications } = readConfig({ ...webhook, WEBHOOK_PRIVATE_ADDRESSES: 'on' });
    expect(notifications.webhook?.allowsPrivate).toBe(true);
  });

  it.each([
    ['Hotel Ünïcorn <tickets@hotel.example>', { name: 'Hotel Ünïcorn', address: 'tickets@hotel.example' }],
    ['<tickets@hotel.example>', undefined],
    ['Hotel <a@b.example>, c@d.example', undefined],
    ['Hotel\r\nBcc: x <tickets@hotel.example>', undefined],
    ['"Hotel" <tickets@hotel.example>', undefined],
    ['hotel', undefined],
  ])('reads the sender %j', (MAIL_FROM, from) => {
    if (from !== undefined) expect(readConfig({ ...mail, MAIL_FROM }).notifications.mail?.from).toEqual(from);
    else expect(refusal({ ...mail, MAIL_FROM })).toMatch(/MAIL_FROM/);
  });

  it.each([
    [{ SMTP_URL: 'mail.example:25' }, /^SMTP_URL=\(hidden\) is not allowed: a URL such as smtp:/],
    [
      { SMTP_URL: 'smtp://h?logger=true' },
      /^SMTP_URL=\(hidden\) is not allowed: a URL without other options/,
    ],
    [{ WEBHOOK_URL: 'ftp://x' }, /^WEBHOOK_URL=\(hidden\) is not allowed: a URL such as https:/],
    [{ WEBHOOK_SECRET: 'secret' }, /^WEBHOOK_SECRET=\(hidden\) is not allowed: whsec_/],
    [{ WEBHOOK_SECRET: 'whsec_c2hvcnQ=' }, /^WEBHOOK_SECRET=\(hidden\)/],
    [{ WEBHOOK_PRIVATE_ADDRESSES: 'maybe' }, /^WEBHOOK_PRIVATE_ADDRESSES=maybe is not allowed: on or off/],
  ])('refuses %j', (environment, message) => {
    expect(refusal(environment as unknown as Record<string, string>)).toMatch(message);
  });

  it('need each other', () => {
    expect(refusal({ WEBHOOK_URL: webhook.WEBHOOK_URL })).toMatch(/it needs WEBHOOK_SECRET/);
    expect(refusal({ ...mail, MAIL_FROM: 'no address' })).toMatch(/^MAIL_FROM=[^\n]*$/);
  });

  it.each([
    [{}, 'tickets@localhost'],
    [{ PUBLIC_ORIGIN: 'https://shop.example:8443' }, 'tickets@shop.example'],
  ])('come from the host of the server by default: %j', (origin, address) => {
    const { SMTP_URL } = mail;
    const { from } = readConfig({ SMTP_URL, ...origin }).notifications.mail ?? {};
    expect(from).toEqual({ name: 'Ticket Booking', address });
  });

  it.each(['lock', 'queue'])('need an owner of each package, which ENGINE=%s does not have', (ENGINE) => {
    expect(refusal({ ...cluster, ...webhook, ENGINE })).toMatch(
      /^WEBHOOK_URL=\(hidden\) is not allowed: it needs ENGINE=actor\.$/,
    );
    expect(refusal({ ...cluster, ...mail, ENGINE })).toMatch(/it needs ENGINE=actor\.$/);
  });
});
