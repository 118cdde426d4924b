import {
  type Notice,
  type NoticeChannel,
  type NoticeEvent,
  noticeEvents,
  type OrderAt,
} from '../../src/domain/notices.ts';
import type { Order, TimelineEvent } from '../../src/domain/order.ts';
import type { AbortState } from '../../src/lib/abort.ts';
import type { Channel } from '../../src/notifications/channel.ts';
import { type DeadLetter, noticeId, type OutboxStore, type OwedOrder } from '../../src/storage/outbox.ts';
import { sampleOrder } from '../contract/samples.ts';

/** An outbox in memory. */
export class MemoryOutbox implements Pick<OutboxStore, 'owed' | 'settle' | 'packagesOwing'> {
  readonly orders = new Map<string, Order>();
  readonly notices = new Map<string, Notice>();
  readonly dead: DeadLetter[] = [];
  /** How often each method was called. */
  reads = 0;
  settles = 0;
  isAway = false;

  owe(packageId: number, number: number, ...events: NoticeEvent[]): string {
    return this.oweOn(['mail'], packageId, number, ...events);
  }

  oweOn(channels: NoticeChannel[], packageId: number, number: number, ...events: NoticeEvent[]): string {
    const timeline = events.map((event, at) => ({ at, event: event as TimelineEvent }));
    const id = `ORDER-${packageId}-${String(number).padStart(6, '0')}`;
    this.orders.set(id, sampleOrder(number, { id, packageId, timeline, status: 'confirmed' }));
    for (const channel of channels) {
      for (const event of events) {
        const notice = { channel, orderId: id, event };
        this.notices.set(noticeId(notice), notice);
      }
    }
    return id;
  }

  async owed(channel: NoticeChannel, packageId: number, cursor: string | undefined, limit: number) {
    this.reads += 1;
    if (this.isAway) throw new Error('away');
    const wanted = [...this.notices.values()].filter((each) => each.channel === channel);
    const byOrder = Map.groupBy(wanted, ({ orderId }) => orderId);
    const items: OwedOrder[] = [...byOrder]
      .filter(([id]) => this.orders.get(id)?.packageId === packageId && id > (cursor ?? ''))
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .slice(0, limit)
      .map(([id, notices]) => ({
        order: this.orders.get(id)!,
        notices: notices.sort(
          (one, other) => noticeEvents.indexOf(one.event) - noticeEvents.indexOf(other.event),
        ),
      }));
    const last = items.at(-1);
    return { items, ...(items.length === limit && last ? { next: last.order.id } : {}) };
  }

  async settle(_packageId: number, delivered: readonly Notice[], givenUp: readonly DeadLetter[]) {
    this.settles += 1;
    if (this.isAway) throw new Error('away');
    this.dead.push(...givenUp);
    for (const notice of [...delivered, ...givenUp]) this.notices.delete(noticeId(notice));
  }

  async packagesOwing(channels: readonly NoticeChannel[]): Promise<number[]> {
    const owing = [...this.notices.values()].filter(({ channel }) => channels.includes(channel));
    return [...new Set(owing.map(({ orderId }) => this.orders.get(orderId)?.packageId ?? 0))];
  }
}

/** A channel whose deliveries a test decides. */
export class FakeChannel implements Channel {
  readonly name: NoticeChannel;
  deliveriesMax = 16;
  /** Each attempt, as `<order id> <event>`. */
  readonly attempts: string[] = [];
  running = 0;
  runningMax = 0;
  isClosed = false;
  respond: (notice: OrderAt, signal: AbortState) => Promise<void> = async () => {};

  constructor(name: NoticeChannel = 'mail') {
    this.name = name;
  }

  async deliver(notice: OrderAt, signal: AbortState): Promise<void> {
    this.attempts.push(`${notice.order.id} ${notice.event}`);
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    try {
      await this.respond(notice, signal);
    } finally {
      this.running -= 1;
    }
  }

  close(): void {
    this.isClosed = true;
  }
}
