import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Fence } from '../../src/domain/messages.ts';
import {
  type Notice,
  type NoticeChannel,
  type NoticeEvent,
  noticeChannels,
} from '../../src/domain/notices.ts';
import type { ArchiveStore } from '../../src/storage/archive-store.ts';
import { type DeadLetter, noticeId, type OutboxStore } from '../../src/storage/outbox.ts';
import { FencedError, type Store } from '../../src/storage/store.ts';
import type { OpenedStore } from './operator-store.ts';
import { sampleChange, sampleOrder, samplePackage } from './samples.ts';

type StoreWithOutbox = Store & { readonly outbox: OutboxStore; readonly archive: ArchiveStore };

interface OpenedOutbox extends Omit<OpenedStore, 'store' | 'reopen'> {
  readonly store: StoreWithOutbox;
  reopen?(): Promise<StoreWithOutbox>;
}

/** The contract of `OutboxStore`, run on each implementation. */
export function outboxContract(name: string, open: () => Promise<OpenedOutbox>): void {
  describe(`outbox contract: ${name}`, () => {
    let opened: OpenedOutbox;
    let store: StoreWithOutbox;

    beforeEach(async () => {
      opened = await open();
      store = opened.store;
      await store.addPackages([1, 2, 3].map((id) => samplePackage({ id })));
    });
    afterEach(() => opened.close());

    const notice = (number: number, event: NoticeEvent, channel: NoticeChannel = 'mail', packageId = 1) =>
      ({ channel, event, orderId: sampleOrder(number, { packageId }).id }) satisfies Notice;

    const deadLetter = (of: Notice, over: Partial<DeadLetter> = {}): DeadLetter => ({
      ...of,
      ...{ packageId: 1, at: 1_000, attempts: 20, reason: 'HTTP 500' },
      ...over,
    });

    async function fenceOf(packageId: number): Promise<Fence> {
      const present = await store.versionedPackage(packageId);
      if (present === undefined) throw new Error(`package ${packageId} is not there`);
      return present.fence;
    }

    async function commit(change: Parameters<typeof sampleChange>[0], packageId = 1): Promise<void> {
      await store.commit(packageId, await fenceOf(packageId), sampleChange(change));
    }

    /** Stores held orders of a package, and ends them with one notice each. */
    async function owe(numbers: readonly number[], event: NoticeEvent = 'confirmed', packageId = 1) {
      const inserted = numbers.map((number) => sampleOrder(number, { packageId, status: 'held' }));
      await commit({ inserted }, packageId);
      const updated = inserted.map((order) => ({ ...order, status: 'confirmed' as const }));
      const notices = numbers.map((number) => notice(number, event, 'mail', packageId));
      await commit({ updated, notices }, packageId);
    }

    async function owed(channel: NoticeChannel = 'mail', packageId = 1): Promise<string[]> {
      const { items } = await store.outbox.owed(channel, packageId, undefined, 99);
      return items.flatMap(({ notices }) => notices.map(noticeId));
    }

    test('Q6 a commit owes its notices, with the orders as they are', async () => {
      await owe([1]);
      expect(await store.outbox.owed('mail', 1, undefined, 9)).toEqual({
        items: [{ order: sampleOrder(1, { status: 'confirmed' }), notices: [notice(1, 'confirmed')] }],
      });
      expect(await owed('webhook')).toEqual([]);
      expect(await owed('mail', 2)).toEqual([]);
      expect(await store.order('ORDER-1-1')).toStrictEqual(sampleOrder(1, { status: 'confirmed' }));
    });

    test('Q6 owed notices survive a reopen', async () => {
      await owe([1, 2]);
      if (opened.reopen) store = await opened.reopen();
      expect(await owed()).toEqual(['ORDER-1-1.confirmed.mail', 'ORDER-1-2.confirmed.mail']);
    });

    test('Q9 a commit that is refused owes nothing', async () => {
      await commit({ inserted: [sampleOrder(1, { status: 'held' })] });
      const stale = await fenceOf(1);
      await store.takeOwnership(1, 'another');
      const updated = [sampleOrder(1, { status: 'confirmed' })];
      const change = sampleChange({ updated, notices: [notice(1, 'confirmed')] });
      await expect(store.commit(1, stale, change)).rejects.toThrow(FencedError);
      expect(await owed()).toEqual([]);
    });

    test('an order that one commit stores and ends owes its notices too', async () => {
      const inserted = [sampleOrder(1, { status: 'rejected', reason: 'sold_out' })];
      const notices = [notice(1, 'failed'), notice(1, 'failed', 'webhook')];
      await commit({ inserted, notices });
      expect(await owed()).toEqual(['ORDER-1-1.failed.mail']);
      expect(await owed('webhook')).toEqual(['ORDER-1-1.failed.webhook']);
    });

    test('the notices of an order come in the order of their events', async () => {
      await owe([1], 'cancelled');
      await commit({
        updated: [sampleOrder(1, { status: 'cancelled' })],
        notices: [notice(1, 'refunded'), notice(1, 'confirmed'), notice(1, 'payable')],
      });
      expect(await owed()).toEqual(
        ['payable', 'confirmed', 'cancelled', 'refunded'].map((event) => `ORDER-1-1.${event}.mail`),
      );
    });

    test('pages have each order once, for every page size', async () => {
      const numbers = Array.from({ length: 7 }, (_, index) => index + 1);
      await owe(numbers);
      for (const limit of [1, 2, 3, 7, 8]) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.outbox.owed('mail', 1, cursor, limit);
          expect(page.items.length).toBeLessThanOrEqual(limit);
          seen.push(...page.items.map(({ order }) => order.id));
          cursor = page.next;
        } while (cursor !== undefined);
        expect(seen, `limit ${limit}`).toEqual(numbers.map((number) => `ORDER-1-${number}`));
      }
    });

    test('names the packages that owe notices of a channel', async () => {
      expect(await store.outbox.packagesOwing(noticeChannels)).toEqual([]);
      await owe([1], 'confirmed', 3);
      await owe([1, 2], 'confirmed', 1);
      expect(await store.outbox.packagesOwing(noticeChannels)).toEqual([1, 3]);
      expect(await store.outbox.packagesOwing(['webhook'])).toEqual([]);
      expect(await store.outbox.packagesOwing([])).toEqual([]);
      await store.outbox.settle(3, [notice(1, 'confirmed', 'mail', 3)], []);
      expect(await store.outbox.packagesOwing(['mail'])).toEqual([1]);
    });

    test('a delivered notice is owed no more, and may be settled again', async () => {
      await owe([1, 2]);
      await store.outbox.settle(1, [notice(1, 'confirmed')], []);
      await store.outbox.settle(1, [notice(1, 'confirmed')], []);
      expect(await owed()).toEqual(['ORDER-1-2.confirmed.mail']);
      expect(await store.order('ORDER-1-1')).toStrictEqual(sampleOrder(1, { status: 'confirmed' }));
    });

    test('Q6 a notice that comes while an earlier one is delivered stays', async () => {
      await owe([1]);
      await commit({
        updated: [sampleOrder(1, { status: 'cancelled' })],
        notices: [notice(1, 'cancelled')],
      });
      await store.outbox.settle(1, [notice(1, 'confirmed')], []);
      expect(await owed()).toEqual(['ORDER-1-1.cancelled.mail']);
    });

    test('a notice that is given up becomes a dead letter, and can be revived', async () => {
      await owe([1, 2]);
      const letter = deadLetter(notice(1, 'confirmed'));
      await store.outbox.settle(1, [], [letter]);
      await store.outbox.settle(1, [], [letter]);
      expect(await owed()).toEqual(['ORDER-1-2.confirmed.mail']);
      expect(await store.outbox.deadLetters(undefined, 9)).toEqual({ items: [letter] });
      expect(await store.outbox.revive([noticeId(letter), 'ORDER-1-9.confirmed.mail', 'nonsense'])).toEqual({
        ...{ letters: [letter], outdated: 0 },
      });
      expect(await owed()).toEqual(['ORDER-1-1.confirmed.mail', 'ORDER-1-2.confirmed.mail']);
      expect(await store.outbox.deadLetters(undefined, 9)).toEqual({ items: [] });
      expect(await store.outbox.revive([noticeId(letter)])).toEqual({ letters: [], outdated: 0 });
    });

    test('a dead letter whose order has changed since is not revived, and stays', async () => {
      await owe([1, 2]);
      const timeline = [{ at: 1, event: 'confirmed' as const }];
      const [changed, same] = [1, 2].map((number) => sampleOrder(number, { status: 'confirmed', timeline }));
      await commit({ updated: [changed!, same!] });
      const letters = [1, 2].map((number) => deadLetter(notice(number, 'confirmed')));
      await store.outbox.settle(1, [], letters);
      const cancelled = {
        ...changed!,
        ...{ status: 'cancelled' as const, timeline: [...timeline, { at: 2, event: 'cancelled' as const }] },
      };
      await commit({ updated: [cancelled], notices: [notice(1, 'cancelled')] });
      await store.outbox.settle(1, [notice(1, 'cancelled')], []);
      const ids = letters.map(noticeId);
      expect(await store.outbox.revive(ids)).toEqual({ letters: [letters[1]], outdated: 1 });
      expect(await owed()).toEqual(['ORDER-1-2.confirmed.mail']);
      expect(await store.outbox.deadLetters(undefined, 9)).toEqual({ items: [letters[0]] });
    });

    test('a dead letter whose order cannot be read can be revived', async () => {
      await owe([1]);
      const letter = deadLetter(notice(1, 'confirmed'));
      await store.outbox.settle(1, [], [letter]);
      await opened.spoil('ORDER-1-1', 'damaged');
      expect(await store.outbox.revive([noticeId(letter)])).toEqual({ letters: [letter], outdated: 0 });
    });

    test('a dead letter can be discarded, and is then neither listed nor owed', async () => {
      await owe([1, 2]);
      const letters = [1, 2].map((number) => deadLetter(notice(number, 'confirmed')));
      await store.outbox.settle(1, [], letters);
      const ids = [noticeId(notice(1, 'confirmed')), 'ORDER-1-9.confirmed.mail', 'nonsense'];
      expect(await store.outbox.discard(ids)).toBe(1);
      expect(await store.outbox.discard(ids)).toBe(0);
      expect(await store.outbox.deadLetters(undefined, 9)).toEqual({ items: [letters[1]] });
      expect(await store.outbox.revive(ids)).toEqual({ letters: [], outdated: 0 });
      expect(await owed()).toEqual([]);
    });

    test('lists dead letters newest first, each once, for every page size', async () => {
      await owe([1, 2, 3, 4]);
      const times = [3_000, 1_000, 2_000, 2_000];
      const letters = times.map((at, index) => deadLetter(notice(index + 1, 'confirmed'), { at }));
      await store.outbox.settle(1, [], letters);
      for (const limit of [1, 2, 3, 4, 5]) {
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await store.outbox.deadLetters(cursor, limit);
          seen.push(...page.items.map(({ orderId }) => orderId));
          cursor = page.next;
        } while (cursor !== undefined);
        expect(seen, `limit ${limit}`).toEqual(['ORDER-1-1', 'ORDER-1-4', 'ORDER-1-3', 'ORDER-1-2']);
      }
    });

    test('an archived order owes nothing and has no dead letter', async () => {
      await owe([1, 2, 3]);
      await store.outbox.settle(1, [], [deadLetter(notice(2, 'confirmed'))]);
      const ended = [1, 2].map((number) => sampleOrder(number, { status: 'confirmed' }));
      expect(await store.archive.removeOrders(1, ended, [])).toBe(2);
      expect(await owed()).toEqual(['ORDER-1-3.confirmed.mail']);
      expect(await store.outbox.deadLetters(undefined, 9)).toEqual({ items: [] });
    });

    test('an order that cannot be read keeps its notices, and does not keep the others from being read', async () => {
      await owe([1, 2, 3]);
      await opened.spoil('ORDER-1-2', 'damaged');
      expect(await owed()).toEqual(['ORDER-1-1.confirmed.mail', 'ORDER-1-3.confirmed.mail']);
    });

    test('a cleared store owes nothing', async () => {
      await owe([1, 2]);
      await store.outbox.settle(1, [], [deadLetter(notice(2, 'confirmed'))]);
      await store.clear();
      expect(await store.outbox.packagesOwing(noticeChannels)).toEqual([]);
      expect(await store.outbox.deadLetters(undefined, 9)).toEqual({ items: [] });
    });
  });
}
