import { beforeEach, describe, expect, test } from 'vitest';
import { ManualClock, runUntilIdle } from '../../test/support/manual-clock.ts';
import { FakeChannel, MemoryOutbox } from '../../test/support/notice-fakes.ts';
import { recordingLog } from '../../test/support/recording-log.ts';
import { Abort } from '../lib/abort.ts';
import { type Channel, DeliveryError } from './channel.ts';
import { Dispatcher } from './dispatcher.ts';
import { attemptsMax } from './lane.ts';

const never = () => new Promise<never>(() => {});
const fail = (reason = 'HTTP 500', isFinal = false, isOfRecipient = false) => {
  throw new DeliveryError(reason, { isFinal, isOfRecipient });
};

let store: MemoryOutbox;
let mail: FakeChannel;
let clock: ManualClock;
let log: ReturnType<typeof recordingLog>;
let settled: number[];
let fraction: () => number;
/** The outcomes that were counted, and the function that reads the gauge. */
let outcomes: string[];
let failingSeconds: () => number | Promise<number>;
beforeEach(() => {
  store = new MemoryOutbox();
  mail = new FakeChannel();
  clock = new ManualClock();
  log = recordingLog();
  settled = [];
  fraction = () => 0;
  outcomes = [];
  failingSeconds = () => Number.NaN;
});

function start(...others: Channel[]): Dispatcher {
  return new Dispatcher({
    ...{ channels: [mail, ...others], store, clock, log },
    metrics: {
      notice: (channel, outcome) => outcomes.push(`${channel} ${outcome}`),
      gauge(_name, read) {
        failingSeconds = read;
      },
    },
    random: { fraction: () => fraction() },
    makePace: () => ({ rest: async () => {} }),
  });
}

/** Owns a package. Returns what ends the ownership. */
function own(dispatcher: Dispatcher, packageId = 1): Abort {
  const until = new Abort();
  dispatcher.own(packageId, until, () => settled.push(packageId));
  return until;
}

describe('delivery', () => {
  test('what a commit adds is delivered, settled, and not delivered again', async () => {
    const dispatcher = start();
    own(dispatcher);
    const id = store.owe(1, 1, 'confirmed');
    dispatcher.added(1);
    await runUntilIdle();
    expect(mail.attempts).toEqual([`${id} confirmed`]);
    expect(store.notices.size).toBe(0);
    expect(settled).toEqual([1]);
    dispatcher.added(1);
    await clock.advance(60_000);
    expect(mail.attempts).toHaveLength(1);
  });

  test('what a former owner left is found without a commit', async () => {
    const dispatcher = start();
    void dispatcher.run();
    store.owe(1, 1, 'confirmed');
    own(dispatcher);
    await clock.advance(5_000);
    expect(mail.attempts).toHaveLength(1);
    await dispatcher.close();
  });

  test('the notices of an order are delivered one after another, with the order as it was', async () => {
    const dispatcher = start();
    own(dispatcher);
    store.owe(1, 1, 'confirmed', 'cancelled');
    const gate = Promise.withResolvers<void>();
    const statuses: string[] = [];
    mail.respond = ({ order }) => {
      statuses.push(order.status);
      return gate.promise;
    };
    dispatcher.added(1);
    await runUntilIdle();
    expect(statuses).toEqual(['confirmed']);
    gate.resolve();
    await runUntilIdle();
    expect(statuses).toEqual(['confirmed', 'cancelled']);
  });

  test('a notice that comes while a lane ends is delivered', async () => {
    const dispatcher = start();
    own(dispatcher);
    mail.respond = async () => {
      if (mail.attempts.length > 1) return;
      store.owe(1, 2, 'confirmed');
      dispatcher.added(1);
    };
    store.owe(1, 1, 'confirmed');
    dispatcher.added(1);
    await runUntilIdle();
    expect(mail.attempts).toHaveLength(2);
  });

  test('nothing is delivered for a package of another owner', async () => {
    const dispatcher = start();
    store.owe(1, 1, 'confirmed');
    dispatcher.added(1);
    void dispatcher.run();
    await clock.advance(20_000);
    expect(mail.attempts).toEqual([]);
    await dispatcher.close();
  });

  test('Q9 a former owner begins no further delivery', async () => {
    const dispatcher = start();
    const until = own(dispatcher);
    for (let number = 0; number < 40; number++) store.owe(1, number, 'confirmed');
    const gate = Promise.withResolvers<void>();
    mail.respond = () => gate.promise;
    dispatcher.added(1);
    await runUntilIdle();
    const begun = mail.attempts.length;
    until.abort();
    gate.resolve();
    await clock.advance(60_000);
    expect(mail.attempts).toHaveLength(begun);
    // What was delivered is settled, so that the next owner does not repeat it.
    expect(store.notices.size).toBe(40 - begun);
    expect(settled).toEqual([]);
  });
});

describe('failures', () => {
  test('a failed notice is tried again with growing pauses, and later ones of the order wait for it', async () => {
    const dispatcher = start();
    own(dispatcher);
    const id = store.owe(1, 1, 'confirmed', 'cancelled');
    mail.respond = async () => fail();
    dispatcher.added(1);
    await runUntilIdle();
    expect(mail.attempts).toEqual([`${id} confirmed`]);
    for (const [pauseMs, attempts] of [
      [999, 1],
      [1, 2],
      [1_999, 2],
      [1, 3],
      [4_000, 4],
    ] as const) {
      await clock.advance(pauseMs);
      expect(mail.attempts).toHaveLength(attempts);
    }
    mail.respond = async () => {};
    await clock.advance(8_000);
    expect(mail.attempts.slice(4)).toEqual([`${id} confirmed`, `${id} cancelled`]);
    expect(settled).toEqual([1]);
    expect(log.lines).toEqual([
      'a notice could not be delivered and is tried again',
      'notices are delivered again',
    ]);
  });

  test('a receiver that fails every second time fills no log', async () => {
    const dispatcher = start();
    own(dispatcher);
    let count = 0;
    mail.respond = async () => (count++ % 2 === 0 ? fail() : undefined);
    for (let number = 0; number < 100; number++) store.owe(1, number, 'confirmed');
    dispatcher.added(1);
    await clock.advance(59_000);
    expect(mail.attempts.length).toBeGreaterThan(150);
    expect(log.lines).toEqual([
      'a notice could not be delivered and is tried again',
      'notices are delivered again',
    ]);
  });

  test('Q12 a failing order does not delay the others of its package', async () => {
    const dispatcher = start();
    own(dispatcher);
    const bad = store.owe(1, 0, 'confirmed');
    for (let number = 1; number < 50; number++) store.owe(1, number, 'confirmed');
    mail.respond = async ({ order }) => (order.id === bad ? fail() : undefined);
    dispatcher.added(1);
    await runUntilIdle();
    expect([...store.notices.values()].map(({ orderId }) => orderId)).toEqual([bad]);
    expect(dispatcher.isDelivering(1)).toBe(true);
    store.owe(1, 60, 'confirmed');
    dispatcher.added(1);
    await clock.advance(10);
    expect(store.notices.size).toBe(1);
  });

  test('after many attempts a notice becomes a dead letter, and later ones of the order follow', async () => {
    const dispatcher = start();
    own(dispatcher);
    const id = store.owe(1, 1, 'confirmed', 'cancelled');
    mail.respond = async ({ event }) => (event === 'confirmed' ? fail('HTTP 500') : undefined);
    dispatcher.added(1);
    await clock.advance(4 * 60 * 60 * 1_000);
    expect(mail.attempts.filter((each) => each === `${id} confirmed`)).toHaveLength(attemptsMax);
    expect(mail.attempts.at(-1)).toBe(`${id} cancelled`);
    expect(store.dead).toMatchObject([
      { orderId: id, event: 'confirmed', channel: 'mail', packageId: 1, attempts: 20, reason: 'HTTP 500' },
    ]);
    expect(store.notices.size).toBe(0);
    expect(settled).toEqual([1]);
  });

  test('a notice that can never be delivered becomes a dead letter at once', async () => {
    const dispatcher = start();
    own(dispatcher);
    store.owe(1, 1, 'confirmed');
    mail.respond = async () => fail('SMTP 550', true);
    dispatcher.added(1);
    await runUntilIdle();
    expect(store.dead).toMatchObject([{ attempts: 1, reason: 'SMTP 550' }]);
  });

  test('the oldest failing notice is known before it is given up, without refused recipients', async () => {
    const dispatcher = start();
    own(dispatcher);
    expect(failingSeconds()).toBe(0);
    store.owe(1, 1, 'confirmed');
    mail.respond = async () => fail('SMTP 450', false, true);
    dispatcher.added(1);
    await clock.advance(60_000);
    expect(failingSeconds()).toBe(0);
    store.owe(1, 2, 'confirmed');
    mail.respond = async () => fail('ECONNREFUSED');
    dispatcher.added(1);
    await clock.advance(1_000);
    const failing = await failingSeconds();
    await clock.advance(600_000);
    expect(await failingSeconds()).toBeCloseTo(failing + 600);
    mail.respond = async () => {};
    await clock.advance(1_200_000);
    expect(failingSeconds()).toBe(0);
    expect(outcomes.filter((each) => !/failed|delivered/.test(each))).toEqual([]);
  });

  test('a refused recipient is counted apart and warns nobody', async () => {
    const dispatcher = start();
    own(dispatcher);
    store.owe(1, 1, 'confirmed');
    store.owe(1, 2, 'confirmed');
    mail.respond = async ({ order }) => fail('SMTP 550', true, order.number === 1);
    dispatcher.added(1);
    await runUntilIdle();
    expect(outcomes.toSorted()).toEqual(['mail given_up', 'mail refused']);
    expect(store.dead).toHaveLength(2);
  });

  test('the reason of a dead letter never has the text of an unexpected error', async () => {
    const dispatcher = start();
    own(dispatcher);
    store.owe(1, 1, 'confirmed');
    mail.respond = async () => {
      throw new TypeError('ana@example.com');
    };
    dispatcher.added(1);
    await clock.advance(4 * 60 * 60 * 1_000);
    expect(store.dead).toMatchObject([{ reason: 'TypeError' }]);
  });

  test('Q12 a lane has a bounded number of failing orders in memory', async () => {
    const dispatcher = start();
    own(dispatcher);
    for (let number = 0; number < 1_200; number++) store.owe(1, number, 'confirmed');
    mail.respond = async () => fail();
    dispatcher.added(1);
    await clock.advance(100);
    expect(new Set(mail.attempts).size).toBeLessThan(120);
    await clock.advance(90_000);
    expect(new Set(mail.attempts).size).toBeLessThan(1_020);
    mail.respond = async () => {};
    await clock.advance(300_000);
    expect(store.notices.size).toBe(0);
  });

  test.each([
    ['the first 400', (number: number) => number < 400],
    ['every second one', (number: number) => number % 2 === 0],
  ])('Q12 however many orders of a package fail, the others are delivered: %s', async (_, isBad) => {
    const dispatcher = start();
    own(dispatcher);
    const numbers = Array.from({ length: 800 }, (_each, number) => number);
    for (const number of numbers) store.owe(1, number, 'confirmed');
    // As a mail server does for the mailboxes of one company.
    mail.respond = async ({ order }) => (isBad(order.number) ? fail('SMTP 450') : undefined);
    dispatcher.added(1);
    await clock.advance(20_000);
    const left = () => [...store.notices.values()].map(({ orderId }) => store.orders.get(orderId)?.number);
    expect(left()).toEqual(numbers.filter(isBad));
    store.owe(1, 901, 'confirmed');
    dispatcher.added(1);
    await runUntilIdle();
    expect(mail.attempts.at(-1)).toContain('901');
    expect(left()).toHaveLength(400);
    mail.respond = async () => {};
    await clock.advance(120_000);
    expect(left()).toEqual([]);
  });

  test('Q12 thousands of refused recipients delay the others by seconds', async () => {
    const dispatcher = start();
    own(dispatcher);
    const isBad = (number: number) => number < 1_500;
    for (let number = 0; number < 1_600; number++) store.owe(1, number, 'confirmed');
    mail.respond = async ({ order }) => (isBad(order.number) ? fail('SMTP 450', false, true) : undefined);
    dispatcher.added(1);
    const healthy = () =>
      [...store.notices.values()].filter(({ orderId }) => !isBad(store.orders.get(orderId)!.number));
    await clock.advance(100);
    expect(healthy()).toEqual([]);
    // No second is full of retries, although many are due at once.
    for (let second = 0; second < 60; second++) {
      const before = mail.attempts.length;
      await clock.advance(1_000);
      expect(mail.attempts.length - before).toBeLessThan(200);
    }
    expect(mail.attempts.length).toBeGreaterThan(1_900);
    store.owe(1, 2_000, 'confirmed');
    store.reads = 0;
    dispatcher.added(1);
    await clock.advance(2_000);
    expect(healthy()).toEqual([]);
    // Two passes over 1,500 orders at most.
    expect(store.reads).toBeLessThan(80);
    mail.respond = async () => {};
    await clock.advance(900_000);
    expect(store.notices.size).toBe(0);
  });

  test('Q12 many failing orders are read for several retries at once', async () => {
    let draws = 0;
    fraction = () => (draws++ * 0.37) % 1;
    const dispatcher = start();
    own(dispatcher);
    for (let number = 0; number < 400; number++) store.owe(1, number, 'confirmed');
    mail.respond = async () => fail();
    dispatcher.added(1);
    await clock.advance(20_000);
    store.reads = 0;
    const attempts = mail.attempts.length;
    await clock.advance(60_000);
    expect(mail.attempts.length - attempts).toBeGreaterThan(400);
    // A pass reads 26 pages, and begins every 4 s at most.
    expect(store.reads).toBeLessThanOrEqual(16 * 26);
  });

  test('Q12 failing orders behind many others are retried, and without reading all the time', async () => {
    const dispatcher = start();
    own(dispatcher);
    for (let number = 1_000; number < 1_100; number++) store.owe(1, number, 'confirmed');
    mail.respond = async () => fail();
    dispatcher.added(1);
    await clock.advance(100);
    // Ids begin again from time to time, so later orders may come first.
    for (let number = 0; number < 100; number++) store.owe(1, number, 'confirmed');
    dispatcher.added(1);
    store.reads = 0;
    await clock.advance(60_000);
    expect(new Set(mail.attempts).size).toBe(200);
    expect(store.reads).toBeLessThan(1_000);
    mail.respond = async () => {};
    await clock.advance(600_000);
    expect(store.notices.size).toBe(0);
    expect(dispatcher.isDelivering(1)).toBe(false);
  });

  test('Q12 failing orders are not read all the time while a sale goes on', async () => {
    const dispatcher = start();
    own(dispatcher);
    for (let number = 0; number < 100; number++) store.owe(1, number, 'confirmed');
    mail.respond = async () => fail();
    dispatcher.added(1);
    await clock.advance(2_000);
    store.reads = 0;
    for (let ms = 0; ms < 10_000; ms += 50) {
      dispatcher.added(1);
      await clock.advance(50);
    }
    // A pass reads 7 pages, and begins once a second.
    expect(store.reads).toBeLessThanOrEqual(11 * 7);
  });

  test('an order that owes nothing any more is not waited for', async () => {
    const dispatcher = start();
    own(dispatcher);
    store.owe(1, 1, 'confirmed');
    mail.respond = async () => fail();
    dispatcher.added(1);
    await runUntilIdle();
    store.notices.clear();
    await clock.advance(60_000);
    expect(dispatcher.isDelivering(1)).toBe(false);
    expect(settled).toEqual([1]);
  });

  test('Q6 while the store is away nothing is lost, and what was delivered is not repeated', async () => {
    const dispatcher = start();
    own(dispatcher);
    store.owe(1, 1, 'confirmed');
    mail.respond = async () => {
      store.isAway = true;
    };
    dispatcher.added(1);
    await clock.advance(30_000);
    expect(store.notices.size).toBe(1);
    store.isAway = false;
    await clock.advance(20_000);
    expect(store.notices.size).toBe(0);
    expect(mail.attempts).toHaveLength(1);
  });
});

describe('isolation', () => {
  test('Q12 a channel that hangs does not delay the other', async () => {
    const webhook = new FakeChannel('webhook');
    const dispatcher = start(webhook);
    own(dispatcher);
    store.oweOn(['mail', 'webhook'], 1, 1, 'confirmed');
    mail.respond = never;
    dispatcher.added(1);
    await runUntilIdle();
    expect(webhook.attempts).toHaveLength(1);
    expect([...store.notices.values()].map(({ channel }) => channel)).toEqual(['mail']);
  });

  test('Q12 a delivery that hangs is ended and tried again', async () => {
    const dispatcher = start();
    own(dispatcher);
    store.owe(1, 1, 'confirmed');
    let isAborted = false;
    mail.respond = (_, signal) => {
      signal.addEventListener('abort', () => {
        isAborted = true;
      });
      return never();
    };
    dispatcher.added(1);
    await clock.advance(30_000);
    expect(isAborted).toBe(true);
    mail.respond = async () => {};
    await clock.advance(1_000);
    expect(store.notices.size).toBe(0);
  });

  test('Q12 a timeout begins when a connection is free, so that it measures the receiver alone', async () => {
    mail.deliveriesMax = 2;
    const dispatcher = start();
    for (let packageId = 1; packageId <= 4; packageId++) {
      own(dispatcher, packageId);
      for (let number = 0; number < 4; number++) store.owe(packageId, number, 'confirmed');
      dispatcher.added(packageId);
    }
    // Slow, but in time: the last of 16 is delivered 8 times later than the first.
    mail.respond = () => clock.sleep(20_000);
    await clock.advance(170_000);
    expect(mail.runningMax).toBe(2);
    expect(mail.attempts).toHaveLength(16);
    expect(store.notices.size).toBe(0);
    expect(log.lines).toEqual([]);
  });

  test('Q9 a former owner does not begin a delivery that has waited for a connection', async () => {
    mail.deliveriesMax = 1;
    const dispatcher = start();
    const until = own(dispatcher);
    for (let number = 0; number < 4; number++) store.owe(1, number, 'confirmed');
    mail.respond = () => clock.sleep(1_000);
    dispatcher.added(1);
    await runUntilIdle();
    until.abort();
    await clock.advance(60_000);
    expect(mail.attempts).toHaveLength(1);
    expect(store.notices.size).toBe(3);
  });

  test('Q12 packages take turns, so one with many notices does not delay another', async () => {
    const dispatcher = start();
    for (let packageId = 1; packageId <= 9; packageId++) own(dispatcher, packageId);
    for (let packageId = 1; packageId <= 8; packageId++) {
      for (let number = 0; number < 200; number++) store.owe(packageId, number, 'confirmed');
    }
    const last = store.owe(9, 1, 'confirmed');
    for (let packageId = 1; packageId <= 9; packageId++) dispatcher.added(packageId);
    mail.respond = () => clock.sleep(10);
    await clock.advance(60_000);
    // Each of the others gets one turn of 16 orders before, and no more than two.
    expect(mail.attempts.indexOf(`${last} confirmed`)).toBeLessThan(2 * 8 * 16);
    expect(mail.runningMax).toBe(16);
    expect(store.notices.size).toBe(0);
  });
});

describe('the end', () => {
  test('a close waits for deliveries under way, but not long, and closes the channels', async () => {
    const dispatcher = start();
    const until = own(dispatcher);
    store.owe(1, 1, 'confirmed');
    mail.respond = never;
    dispatcher.added(1);
    await runUntilIdle();
    until.abort();
    let isClosed = false;
    void dispatcher.close().then(() => {
      isClosed = true;
    });
    await clock.advance(1_999);
    expect(isClosed).toBe(false);
    await clock.advance(1);
    expect(isClosed).toBe(true);
    expect(mail.isClosed).toBe(true);
  });

  test('names the packages that owe notices, so that they get an owner, and their new owner delivers at once', async () => {
    const dispatcher = start();
    const id = store.owe(3, 1, 'confirmed');
    expect(dispatcher.packagesOwing()).toEqual([]);
    void dispatcher.run();
    await runUntilIdle();
    expect(dispatcher.packagesOwing()).toEqual([3]);
    own(dispatcher, 3);
    await runUntilIdle();
    expect(mail.attempts).toEqual([`${id} confirmed`]);
    await clock.advance(5_000);
    expect(dispatcher.packagesOwing()).toEqual([]);
    await dispatcher.close();
  });

  test('Q12 an outbox that does not answer delays nobody who asks for these packages', async () => {
    const dispatcher = start();
    store.owe(3, 1, 'confirmed');
    void dispatcher.run();
    await runUntilIdle();
    store.packagesOwing = never;
    await clock.advance(5_000);
    expect(dispatcher.packagesOwing()).toEqual([3]);
    await dispatcher.close();
  });
});
