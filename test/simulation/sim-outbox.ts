import { noticeEvents } from '../../src/domain/notices.ts';
import type { OutboxStore, OwedOrder } from '../../src/storage/outbox.ts';
import { StoreUnavailableError } from '../../src/storage/store.ts';
import { nextAfter } from '../../src/storage/store-helpers.ts';
import type { StoreCore, StoreOutage } from './sim-store.ts';
import type { SimHost, World } from './world.ts';

/** The outbox as one process reaches it. Every call may be lost, and so may its reply. */
export function simOutbox(
  world: World,
  host: SimHost,
  core: StoreCore,
  isAway: StoreOutage,
): Pick<OutboxStore, 'owed' | 'settle' | 'packagesOwing'> {
  function ask<T>(what: string, serve: () => T): Promise<T> {
    return world.call(host, what, {
      serve,
      lost: 'storeLost',
      replyLost: 'storeReplyLost',
      failed: () => isAway(host),
      unavailable: () => new StoreUnavailableError('no reply'),
    });
  }

  return {
    owed: (channel, packageId, cursor = '', limit) =>
      ask(`${channel} owed by ${packageId}`, () => {
        const byOrder = core.outbox.ofPackage(channel, packageId);
        const ids = [...byOrder.keys()].filter((id) => id > cursor).sort();
        const page = ids.slice(0, limit);
        const items = page.flatMap((id): OwedOrder[] => {
          const order = core.orders.get(id);
          if (order === undefined || core.spoilt.has(id)) return [];
          const owed = byOrder.get(id) ?? [];
          const notices = noticeEvents.flatMap((event) => owed.filter((notice) => notice.event === event));
          return [{ order, notices }];
        });
        return { items, ...nextAfter(page, limit, (last) => last) };
      }),
    settle: (packageId, delivered, givenUp) =>
      ask(`settle ${delivered.length} of ${packageId}`, () => core.outbox.settle(delivered, givenUp)),
    packagesOwing: (channels) => ask('packages owing', () => core.outbox.packagesOwing(channels)),
  };
}
