import { expect, it } from 'vitest';
import { noticeChannels } from '../../src/domain/notices.ts';
import { orderEvent } from '../../src/notifications/webhook/order-event.ts';
import { openMongoStore } from '../../src/storage/mongodb/mongo-store.ts';
import { waitUntil } from '../support/buyers.ts';
import { startCluster } from '../support/cluster.ts';
import { startMailServer } from '../support/mail-server.ts';
import { expectPaidSale, paidSale } from '../support/paid-sale.ts';
import { mailSubjects, toldEventsOf } from '../support/told-events.ts';
import { startWebhookReceiver } from '../support/webhook-receiver.ts';

/** After a kill at most the orders of one turn are told again on each channel, each of at most two events. */
const repeatedMax = 2 * 16;

it('Q6 the events of 500 orders reach their buyers and the receiver, in order, although the owner is killed', async () => {
  await using parts = new AsyncDisposableStack();
  const mailServer = parts.adopt(await startMailServer(), (server) => server.close());
  const receiver = parts.adopt(await startWebhookReceiver(), (server) => server.close());
  const { packages, settings } = paidSale;
  const cluster = parts.use(
    await startCluster({
      ...{ instances: 3, packages },
      settings: {
        ...{ ...settings, LEASE_TTL_MS: '2000', PUBLIC_ORIGIN: 'http://tickets.example' },
        ...{ SMTP_URL: mailServer.url, MAIL_FROM: 'tickets@hotel.example' },
        ...{ WEBHOOK_URL: `${receiver.origin}/events`, WEBHOOK_SECRET: receiver.secret },
        WEBHOOK_PRIVATE_ADDRESSES: 'on',
      },
    }),
  );
  await expectPaidSale({
    origins: () => cluster.instances.filter(({ isRunning }) => isRunning).map(({ origin }) => origin),
    inTheMiddle: async () => (await cluster.ownerOf(1))?.kill(),
  });
  const reader = await openMongoStore({ url: cluster.mongo.url, readOnly: true });
  const store = parts.adopt(reader, (opened) => opened.close());
  await waitUntil('the last notice', 60_000, async () => {
    const owing = await store.outbox.packagesOwing(noticeChannels);
    return owing.length === 0;
  });
  expect(await store.outbox.deadLetters(undefined, 9)).toEqual({ items: [] });

  const events = receiver.requests.map((request) => orderEvent.parse(receiver.verified(request)));
  const eventsById = Map.groupBy(events, ({ data }) => data.order.id);
  const mailsTo = Map.groupBy(mailServer.mails, ({ to: [email = ''] }) => email);
  const { items: orders } = await store.ordersPage(1, undefined, 1_000);
  expect(orders.length).toBeGreaterThan(400);
  for (const order of orders) {
    const told = toldEventsOf(order);
    const types = new Set(eventsById.get(order.id)?.map(({ type }) => type));
    expect([...types], `events of ${order.id}`).toEqual(told.map((event) => `order.${event}`));
    const mails = (mailsTo.get(order.email) ?? []).map(({ header }) => /^Subject: (.*)$/m.exec(header)?.[1]);
    // A mail that asks to pay is left out if it comes too late.
    const subjects = told.map((event) => mailSubjects[event]);
    const due = subjects.filter((each) => each !== mailSubjects.payable || mails.includes(each));
    expect([...new Set(mails)], `mails about ${order.id}`).toEqual(due);
  }
  const ids = new Set(receiver.requests.map(({ headers }) => headers['webhook-id']));
  expect(receiver.requests.length - ids.size).toBeLessThanOrEqual(repeatedMax);
  const mailIds = new Set(mailServer.mails.map(({ id }) => id));
  expect(mailServer.mails.length - mailIds.size).toBeLessThanOrEqual(repeatedMax);
});
