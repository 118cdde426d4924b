import { isOlder, isUnfinished, type Order } from '../domain/order.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { offersAgain } from '../http/pages/fragments/order.ts';
import type { TripOffer } from '../http/pages/fragments/package.ts';
import type { Clock } from '../lib/clock.ts';
import type { Channel } from './channel.ts';
import type { Fragment } from './envelope.ts';
import type { QueueSnapshot } from './live-bus.ts';
import { isSameState, type ShownOrder, WatchedOrder } from './watched-order.ts';
import { WatchedQueue } from './watched-queue.ts';

export interface OrderFeedDeps {
  readonly engine: Pick<BookingEngine, 'order' | 'queuePosition'>;
  readonly clock: Clock;
  readonly draw: (shown: ShownOrder) => Fragment | undefined;
  /** How many units of a package are being booked right now. */
  readonly inProgress: (packageId: number) => number;
  /** Whether a package can be ordered now, where that is known. */
  readonly offer: (packageId: number) => TripOffer | undefined;
}

/** The watched orders whose pages offer to order the same trip again. */
interface AgainWatch {
  readonly watches: Set<WatchedOrder>;
  offer: TripOffer | undefined;
}

/** The newest state of the orders that are watched, their places in the lines, and what of them is to be drawn. */
export class OrderFeed {
  readonly #deps: OrderFeedDeps;
  readonly #watches = new Map<string, WatchedOrder>();
  readonly #lines = new Map<number, WatchedQueue>();
  /** Those without an outcome, the one that was checked longest ago first. */
  readonly #unfinished = new Set<WatchedOrder>();
  readonly #changed = new Set<WatchedOrder>();
  readonly #movedLines = new Set<WatchedQueue>();
  /** By package. */
  readonly #again = new Map<number, AgainWatch>();

  constructor(deps: OrderFeedDeps) {
    this.#deps = deps;
  }

  /** The watch of an order, made where there is none; `read` tells what it is about. */
  watch(orderId: string): WatchedOrder {
    let watch = this.#watches.get(orderId);
    if (watch === undefined) {
      watch = new WatchedOrder(orderId);
      this.#watches.set(orderId, watch);
      this.#unfinished.add(watch);
    }
    return watch;
  }

  *channels(): Iterable<Channel> {
    for (const watch of this.#watches.values()) yield watch.channel;
  }

  /** Forgets an order that nobody watches any more. */
  leave(orderId: string): void {
    const watch = this.#watches.get(orderId);
    if (watch === undefined || watch.channel.subscriptions.size > 0) return;
    this.#watches.delete(orderId);
    this.#unfinished.delete(watch);
    this.#changed.delete(watch);
    if (watch.order === undefined) return;
    this.#leaveLine(watch.order);
    this.#leaveAgain(watch, watch.order.packageId);
  }

  /** Whether anybody watches it. */
  hear(order: Order): boolean {
    const watch = this.#watches.get(order.id);
    if (watch === undefined) return false;
    watch.heard++;
    this.#learn(watch, order);
    return true;
  }

  /** Whether anybody in it is watched. */
  hearLine(line: QueueSnapshot): boolean {
    const watched = this.#lines.get(line.packageId);
    if (watched === undefined) return false;
    watched.hear(line);
    this.#movedLines.add(watched);
    return true;
  }

  /** Units of this package came to be booked or ceased to be. */
  hearProgress(packageId: number): void {
    const watched = this.#lines.get(packageId);
    if (watched !== undefined) this.#movedLines.add(watched);
    this.#checkOffer(packageId);
  }

  /**
   * Reads an order from the store, unless the bus tells of it meanwhile. False when there is no such order.
   * @throws StoreUnavailableError
   */
  async read(watch: WatchedOrder): Promise<boolean> {
    const { heard } = watch;
    this.#checked(watch);
    const order = await this.#deps.engine.order(watch.id);
    if (!this.#watches.has(watch.id)) return true;
    if (order === undefined) return watch.order !== undefined;
    if (watch.heard === heard) this.#learn(watch, order);
    if (watch.order?.status === 'queued') {
      watch.place = this.#deps.engine.queuePosition(watch.order) ?? watch.place;
      this.#changed.add(watch);
    }
    return true;
  }

  /** Those without an outcome of whom nothing was heard since `before`, at most so many. */
  unchecked(before: number, max: number): WatchedOrder[] {
    const found: WatchedOrder[] = [];
    for (const watch of this.#unfinished) {
      if (watch.checkedAt > before || found.length >= max) break;
      found.push(watch);
    }
    return found;
  }

  /** Has the places of everybody in a line looked at, not only those of the first, and whether sales open or close. */
  moveAll(): void {
    for (const line of this.#lines.values()) {
      for (const watch of line.placeAll()) this.#changed.add(watch);
    }
    for (const packageId of this.#again.keys()) this.#checkOffer(packageId);
  }

  /** Draws what has changed, one order at a time: whoever iterates may pause in between. */
  *draw(): Iterable<WatchedOrder> {
    for (const line of this.#movedLines) {
      for (const watch of line.placeFirst()) this.#changed.add(watch);
    }
    this.#movedLines.clear();
    // What changes during a pause is for the next tick.
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const watch of changed) {
      if (watch.order === undefined) continue;
      const { packageId } = watch.order;
      const shown = watch.news(this.#deps.inProgress(packageId), this.#deps.offer(packageId));
      const fragment = shown && this.#deps.draw(shown);
      if (fragment === undefined) continue;
      watch.shown = shown;
      watch.channel.put([fragment]);
      yield watch;
    }
  }

  #learn(watch: WatchedOrder, order: Order): void {
    this.#checked(watch);
    const before = watch.order;
    if (before !== undefined && (isSameState(before, order) || isOlder(order, before))) return;
    watch.order = order;
    this.#changed.add(watch);
    if (!isUnfinished(order)) this.#unfinished.delete(watch);
    if (order.status !== 'queued') this.#leaveLine(order);
    else if (before?.status !== 'queued') this.#joinLine(watch, order);
    if (offersAgain(order)) this.#joinAgain(watch, order.packageId);
  }

  #joinAgain(watch: WatchedOrder, packageId: number): void {
    const again = this.#again.get(packageId) ?? { watches: new Set(), offer: this.#deps.offer(packageId) };
    this.#again.set(packageId, again);
    again.watches.add(watch);
  }

  #leaveAgain(watch: WatchedOrder, packageId: number): void {
    const again = this.#again.get(packageId);
    again?.watches.delete(watch);
    if (again?.watches.size === 0) this.#again.delete(packageId);
  }

  /** Goes through the orders of a package only when what their pages offer has changed. */
  #checkOffer(packageId: number): void {
    const again = this.#again.get(packageId);
    const offer = again && this.#deps.offer(packageId);
    if (again === undefined || offer === again.offer) return;
    again.offer = offer;
    for (const watch of again.watches) this.#changed.add(watch);
  }

  /** Puts it behind those that were checked longer ago. */
  #checked(watch: WatchedOrder): void {
    watch.checkedAt = this.#deps.clock.now();
    this.#unfinished.delete(watch);
    if (watch.order === undefined || isUnfinished(watch.order)) this.#unfinished.add(watch);
  }

  #joinLine(watch: WatchedOrder, order: Order): void {
    const line = this.#lines.get(order.packageId) ?? new WatchedQueue();
    this.#lines.set(order.packageId, line);
    line.add(order.number, watch);
  }

  #leaveLine(order: Order): void {
    const line = this.#lines.get(order.packageId);
    line?.remove(order.number);
    if (line?.size === 0) {
      this.#lines.delete(order.packageId);
      this.#movedLines.delete(line);
    }
  }
}
