import type { Change, Ownership } from './change.ts';
import type { Order } from './order.ts';
import type { Inventory, TravelPackage } from './travel-package.ts';
import { WaitingQueue } from './waiting-queue.ts';

/**
 * What the owner of a package has in memory: the committed present. Only `adopt` changes it, and only with a
 * change that is known to be applied.
 */
export class PackageState {
  readonly epoch: number;
  #seq: number;
  #package: TravelPackage;
  #inventory: Inventory;
  readonly #orders = new Map<string, Order>();
  readonly #line = new WaitingQueue();
  /** Whether suppliers answer; while not, nothing is claimed. Not stored: each owner sees for itself. */
  suppliersAvailable: boolean;

  constructor(ownership: Ownership, suppliersAvailable: boolean) {
    this.epoch = ownership.fence.epoch;
    this.#seq = ownership.fence.seq;
    this.#package = ownership.package;
    this.#inventory = ownership.inventory;
    this.suppliersAvailable = suppliersAvailable;
    for (const order of ownership.unfinished) this.#take(order);
  }

  get seq(): number {
    return this.#seq;
  }

  get package(): TravelPackage {
    return this.#package;
  }

  get inventory(): Inventory {
    return this.#inventory;
  }

  /** Every unfinished order by id: queued, held, compensating or cancelling. */
  get orders(): ReadonlyMap<string, Order> {
    return this.#orders;
  }

  /** The queued ones, by number. */
  get queue(): WaitingQueue {
    return this.#line;
  }

  apply(change: Change): void {
    this.#seq += 1;
    this.#inventory = change.inventory;
    if (change.package !== undefined) this.#package = change.package;
    for (const order of change.inserted) this.#take(order);
    for (const order of change.updated) this.#take(order);
  }

  #take(order: Order): void {
    const before = this.#orders.get(order.id);
    if (before?.status === 'queued' && order.status !== 'queued') this.#line.remove(order.number);
    if (before === undefined && order.status === 'queued') this.#line.add(order.number, order.id);
    switch (order.status) {
      case 'queued':
      case 'held':
      case 'compensating':
      case 'cancelling':
        this.#orders.set(order.id, order);
        break;
      default:
        this.#orders.delete(order.id);
    }
  }
}
