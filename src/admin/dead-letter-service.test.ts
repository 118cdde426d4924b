import { expect, test, vi } from 'vitest';
import { sampleChange, sampleOrder } from '../../test/contract/samples.ts';
import {
  type AdminBench,
  anOperator as by,
  openAdminBench,
} from '../../test/support/admin-service-fixture.ts';
import type { DeadLetter } from '../storage/outbox.ts';

async function giveUp({ store }: AdminBench, ...numbers: number[]): Promise<DeadLetter[]> {
  const { fence, inventory } = (await store.versionedPackage(1))!;
  const inserted = numbers.map((number) => sampleOrder(number, { status: 'confirmed' }));
  const letters = inserted.map(({ id: orderId }, index) => ({
    ...({ orderId, event: 'confirmed', channel: 'mail', packageId: 1 } as const),
    ...{ at: 1_000 + index, attempts: 20, reason: 'SMTP 451' },
  }));
  await store.commit(1, fence, sampleChange({ inventory, inserted, notices: letters }));
  await store.outbox.settle(1, [], letters);
  return letters;
}

test('dead letters are listed, newest first, and counted for the overview', async () => {
  await using bench = await openAdminBench();
  const { deadLetters } = bench.service;
  const [older, newer] = await giveUp(bench, 1, 2);
  expect(await deadLetters.list(undefined, 1)).toMatchObject({ items: [newer], next: expect.any(String) });
  expect(await deadLetters.list()).toEqual({ items: [newer, older] });
  expect(await deadLetters.recent()).toEqual([newer, older]);
});

test('a retry owes the notices again, and is logged without their orders', async () => {
  await using bench = await openAdminBench();
  const { deadLetters } = bench.service;
  await giveUp(bench, 1, 2);
  await deadLetters.recent();
  const ids = ['ORDER-1-1.confirmed.mail', 'ORDER-1-9.confirmed.mail'];
  expect(await deadLetters.retry(by, { ids })).toEqual({
    ...{ kind: 'done', value: { retried: 1, outdated: 0, channelOff: 0 } },
  });
  const owed = await bench.store.outbox.owed('mail', 1, undefined, 9);
  expect(owed.items.map(({ order }) => order.id)).toEqual(['ORDER-1-1']);
  expect((await deadLetters.recent()).map(({ orderId }) => orderId)).toEqual(['ORDER-1-2']);
  expect(await bench.log()).toMatchObject([
    { action: 'notice.retry', by, wish: { deadLetters: 2 }, after: { deadLetters: 1 }, outcome: 'done' },
  ]);
});

test('Q12 a retry wakes the owner of each package, and waits for none of them', async () => {
  await using bench = await openAdminBench();
  await giveUp(bench, 1, 2);
  const asked: string[] = [];
  vi.spyOn(bench.engine, 'retry').mockImplementation(async ({ id }) => {
    asked.push(id);
    return new Promise(() => {});
  });
  expect(await bench.service.deadLetters.retry(by, { channel: 'mail' })).toMatchObject({
    value: { retried: 2 },
  });
  await vi.waitFor(() => expect(asked).toHaveLength(1));
});

test('a discard deletes dead letters, and is logged without their orders', async () => {
  await using bench = await openAdminBench();
  const { deadLetters } = bench.service;
  await giveUp(bench, 1, 2);
  await deadLetters.recent();
  const ids = ['ORDER-1-1.confirmed.mail', 'ORDER-1-9.confirmed.mail'];
  expect(await deadLetters.discard(by, { ids })).toEqual({ kind: 'done', value: { discarded: 1 } });
  expect((await deadLetters.recent()).map(({ orderId }) => orderId)).toEqual(['ORDER-1-2']);
  expect((await bench.store.outbox.owed('mail', 1, undefined, 9)).items).toEqual([]);
  expect(await bench.log()).toMatchObject([
    { action: 'notice.discard', by, wish: { deadLetters: 2 }, after: { deadLetters: 1 }, outcome: 'done' },
  ]);
});

test('a dead letter whose order has changed since is not retried, and the answer says so', async () => {
  await using bench = await openAdminBench();
  await giveUp(bench, 1, 2);
  const { fence, inventory } = (await bench.store.versionedPackage(1))!;
  const updated = sampleOrder(1, {
    status: 'cancelled',
    timeline: (['confirmed', 'cancelled'] as const).map((event, at) => ({ at, event })),
  });
  await bench.store.commit(1, fence, sampleChange({ inventory, updated: [updated] }));
  expect(await bench.service.deadLetters.retry(by, { channel: 'mail' })).toMatchObject({
    value: { retried: 1, outdated: 1 },
  });
  expect((await bench.service.deadLetters.list()).items.map(({ orderId }) => orderId)).toEqual(['ORDER-1-1']);
});

test('one request retries or discards all of a channel, and lets other work run between the pages', async () => {
  await using bench = await openAdminBench();
  const { deadLetters } = bench.service;
  const numbers = Array.from({ length: 450 }, (_, index) => index + 1);
  const letters = await giveUp(bench, ...numbers);
  const webhooks = letters.slice(0, 3).map((letter) => ({ ...letter, channel: 'webhook' as const }));
  await bench.store.outbox.settle(1, [], webhooks);
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  const { outbox } = bench.store;
  const read = outbox.deadLetters.bind(outbox);
  const turnsOfReads: number[] = [];
  vi.spyOn(outbox, 'deadLetters').mockImplementation((...args) => {
    turnsOfReads.push(turns);
    return read(...args);
  });
  expect(await deadLetters.discard(by, { channel: 'webhook' })).toMatchObject({ value: { discarded: 3 } });
  expect(await deadLetters.retry(by, { channel: 'mail' })).toMatchObject({ value: { retried: 450 } });
  clearInterval(counting);
  expect(turnsOfReads.length).toBe(6);
  expect(new Set(turnsOfReads).size).toBe(6);
  expect(await deadLetters.list()).toEqual({ items: [] });
  expect((await bench.store.outbox.owed('mail', 1, undefined, 999)).items).toHaveLength(450);
  expect(await bench.log()).toMatchObject([
    { action: 'notice.retry', wish: { channel: 'mail' }, after: { deadLetters: 450 } },
    { action: 'notice.discard', wish: { channel: 'webhook' }, after: { deadLetters: 3 } },
  ]);
});

test('a retry leaves notices whose channel is off, and says so', async () => {
  await using bench = await openAdminBench({ over: { noticeChannels: ['webhook'] } });
  const { deadLetters } = bench.service;
  const [mail] = await giveUp(bench, 1);
  const webhook = { ...mail!, channel: 'webhook' as const };
  await bench.store.outbox.settle(1, [], [webhook]);
  const ids = ['ORDER-1-1.confirmed.mail', 'ORDER-1-1.confirmed.webhook'];
  expect(await deadLetters.retry(by, { ids })).toMatchObject({ value: { retried: 1, channelOff: 1 } });
  expect(await deadLetters.list()).toEqual({ items: [mail] });
  expect(await deadLetters.retry(by, { channel: 'mail' })).toMatchObject({
    value: { retried: 0, outdated: 0, channelOff: 1 },
  });
  expect(await deadLetters.discard(by, { channel: 'mail' })).toMatchObject({ value: { discarded: 1 } });
});
