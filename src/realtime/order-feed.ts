import { isOlder, isUnfinished, type Order } from '../domain/order.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { offersAgain } from '../http/pages/fragments/order.ts';
import type { TripOffer } from '../http/pages/fragments/package.ts';
import type { Clock } from '../lib/clock.ts';
import { Channel, type Fragment, type LiveFormat } from './fanout.ts';
import type { QueueSnapshot } from './live-bus.ts';
import { isSameState, type ShownOrder, WatchedOrder, WatchedPackage } from './watched-order.ts';

export interface OrderFeedDeps {
  readonly engine: Pick<BookingEngine, 'order' | 'queuePosition' | 'estimatedWait'>;
  readonly clock: Clock;
  /** Renders an order in a format. Returns undefined if the order cannot be rendered. */
  readonly render: (shown: ShownOrder, format: LiveFormat) => Fragment | undefined;
  /** How many units of a package are held. Held units are being booked now. */
  readonly held: (packageId: number) => number;
  /** Whether a package can be ordered now; undefined if that is unknown. */
  readonly offer: (packageId: number) => TripOffer | undefined;
}

/**
 * The newest state of the watched orders and their positions in the queues. Knows which orders must be rendered again.
 */
export class OrderFeed {
  readonly #deps: OrderFeedDeps;
  readonly #orders = new Map<string, WatchedOrder>();
  readonly #packages = new Map<number, WatchedPackage>();
  /** Orders that are unfinished or still unknown. The order that was checked longest ago comes first. */
  readonly #unfinished = new Set<WatchedOrder>();
  readonly #changed = new Set<WatchedOrder>();
  /** Packages whose queue or number of held units has changed. */
  readonly #moved = new Set<WatchedPackage>();

  constructor(deps: OrderFeedDeps) {
    this.#deps = deps;
  }

  /**
   * Returns the watched order with this id and its channel in a format, and adds both if nobody watches them yet. A new
   * channel has the state that the other formats show. Call `read` to load the state of a new order.
   */
  watch(orderId: string, format: LiveFormat): { watched: WatchedOrder; channel: Channel } {
    let watched = this.#orders.get(orderId);
    if (watched === undefined) {
      watched = new WatchedOrder(orderId);
      this.#orders.set(orderId, watched);
      this.#unfinished.add(watched);
    }
    let channel = watched.channelIn(format);
    if (channel === undefined) {
      channel = new Channel(format);
      watched.channels = [...watched.channels, channel];
      const fragment = watched.shown && this.#deps.render(watched.shown, format);
      if (fragment !== undefined) channel.put([fragment]);
    }
    return { watched, channel };
  }

  *channels(): Iterable<Channel> {
    for (const { channels } of this.#orders.values()) yield* channels;
  }

  /** The packages of the watched orders. */
  packageIds(): Iterable<number> {
    return this.#packages.keys();
  }

  /** Forgets a format of an order when its last viewer has left, and the order when nobody watches it any more. */
  unwatch(watched: WatchedOrder): void {
    watched.channels = watched.channels.filter(({ subscriptions }) => subscriptions.size > 0);
    if (watched.channels.length > 0) return;
    this.#orders.delete(watched.id);
    this.#unfinished.delete(watched);
    this.#changed.delete(watched);
    const group = watched.order && this.#packages.get(watched.order.packageId);
    if (watched.order === undefined || group === undefined) return;
    group.queued.delete(watched.order.number);
    group.reorderable.delete(watched);
    this.#removeIfEmpty(group, watched.order.packageId);
  }

  /** Stores an order from the bus if the order is watched. Returns whether it is watched. */
  update(order: Order): boolean {
    const watched = this.#orders.get(order.id);
    if (watched === undefined) return false;
    watched.updates++;
    this.#set(watched, order);
    return true;
  }

  /** Stores a queue from the bus if an order of its package is watched. Returns whether such an order is watched. */
  updateQueue(queue: QueueSnapshot): boolean {
    const group = this.#packages.get(queue.packageId);
    if (group === undefined) return false;
    group.setQueue(queue);
    this.#moved.add(group);
    return true;
  }

  /** Call this when the inventory or the sale of a package has changed. */
  updatePackage(packageId: number): void {
    const group = this.#packages.get(packageId);
    if (group === undefined) return;
    this.#moved.add(group);
    this.#checkOffer(packageId, group);
  }

  /**
   * Reads an order from the store. If an update comes over the bus meanwhile, the update is kept. Returns false if
   * there is no such order.
   * @throws StoreUnavailableError
   */
  async read(watched: WatchedOrder): Promise<boolean> {
    const { updates } = watched;
    this.#checked(watched);
    const order = await this.#deps.engine.order(watched.id);
    if (!this.#orders.has(watched.id)) return true;
    if (order === undefined) return watched.order !== undefined;
    if (watched.updates === updates) this.#set(watched, order);
    if (watched.order?.status === 'queued') {
      watched.queuePosition = this.#deps.engine.queuePosition(watched.order) ?? watched.queuePosition;
      this.#changed.add(watched);
    }
    return true;
  }

  /** Orders without an outcome that were last checked before this time, in ms on the monotonic clock; `max` at most. */
  unchecked(before: number, max: number): WatchedOrder[] {
    const found: WatchedOrder[] = [];
    for (const watched of this.#unfinished) {
      if (watched.checkedAt > before || found.length >= max) break;
      found.push(watched);
    }
    return found;
  }

  /**
   * Updates the state that changes for many orders at once: all queue positions with their estimated waits, and offers
   * whose sale opened or closed.
   */
  updateAll(): void {
    for (const [packageId, group] of this.#packages) {
      group.positionAll();
      for (const watched of group.queued.values()) this.#changed.add(watched);
      this.#checkOffer(packageId, group);
    }
  }

  /** Renders changed orders into their channels, one channel per step, so that the caller may pause between them. */
  *render(): Iterable<Channel> {
    for (const group of this.#moved) {
      for (const watched of group.positionFirst()) this.#changed.add(watched);
    }
    this.#moved.clear();
    // Work on a copy, because changes during a pause belong to the next call.
    const changed = [...this.#changed];
    this.#changed.clear();
    const { engine, held, offer, render } = this.#deps;
    for (const watched of changed) {
      if (watched.order === undefined) continue;
      const { packageId } = watched.order;
      const estimate = (position: number) => engine.estimatedWait(packageId, position);
      const shown = watched.change(held(packageId), offer(packageId), estimate);
      if (shown === undefined) continue;
      for (const channel of watched.channels) {
        const fragment = render(shown, channel.format);
        if (fragment === undefined) continue;
        watched.shown = shown;
        channel.put([fragment]);
        yield channel;
      }
    }
  }

  #set(watched: WatchedOrder, order: Order): void {
    const before = watched.order;
    const isNews = before === undefined || !(isSameState(before, order) || isOlder(order, before));
    if (isNews) watched.order = order;
    this.#checked(watched);
    if (!isNews) return;
    this.#changed.add(watched);
    const { packageId, number } = order;
    const group = this.#packages.get(packageId) ?? new WatchedPackage();
    this.#packages.set(packageId, group);
    if (order.status === 'queued') group.queued.set(number, watched);
    else group.queued.delete(number);
    if (offersAgain(order)) {
      if (group.reorderable.size === 0) group.offer = this.#deps.offer(packageId);
      group.reorderable.add(watched);
    }
    this.#removeIfEmpty(group, packageId);
  }

  #removeIfEmpty(group: WatchedPackage, packageId: number): void {
    if (!group.isEmpty()) return;
    this.#packages.delete(packageId);
    this.#moved.delete(group);
  }

  /**
   * Marks the orders with a link to buy again for rendering. Does so only if the offer has changed, because there may
   * be thousands of such orders.
   */
  #checkOffer(packageId: number, group: WatchedPackage): void {
    if (group.reorderable.size === 0) return;
    const offer = this.#deps.offer(packageId);
    if (offer === group.offer) return;
    group.offer = offer;
    for (const watched of group.reorderable) this.#changed.add(watched);
  }

  /** Moves the order to the end of the unfinished orders. A settled order returns to them when it is cancelled. */
  #checked(watched: WatchedOrder): void {
    watched.checkedAt = this.#deps.clock.monotonic();
    this.#unfinished.delete(watched);
    if (watched.order === undefined || isUnfinished(watched.order)) this.#unfinished.add(watched);
  }
}
