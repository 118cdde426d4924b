import { type NumberRuns, Positions } from '../domain/number-runs.ts';
import type { Order } from '../domain/order.ts';
import type { EstimatedWait } from '../engine/engine.ts';
import { offersAgain } from '../http/pages/fragments/order.ts';
import type { TripOffer } from '../http/pages/fragments/package.ts';
import type { Channel, LiveFormat } from './fanout.ts';
import type { QueueSnapshot } from './live-bus.ts';

/** Everything that the fragment of an order shows. */
export interface ShownOrder {
  readonly order: Order;
  /** The position in the queue, from 1; undefined if it is unknown or the order is not queued. */
  readonly queuePosition: number | undefined;
  /** Undefined if it is unknown or the order is not queued. */
  readonly estimatedWait: EstimatedWait | undefined;
  /** How many units of the package are being booked now; 0 if the order is not queued. */
  readonly inProgress: number;
  /** Whether the same trip can be ordered again; undefined if the page does not offer it. */
  readonly offer: TripOffer | undefined;
}

/** An order with at least one viewer. */
export class WatchedOrder {
  readonly id: string;
  /** One channel for each format that somebody watches the order in, usually one. */
  channels: readonly Channel[] = [];
  order: Order | undefined;
  queuePosition: number | undefined;
  /**
   * How many updates of the order came over the bus. The result of a read that began before an update must not replace
   * the update.
   */
  updates = 0;
  /** When the order was last read or updated, in ms on the monotonic clock. */
  checkedAt = Number.NEGATIVE_INFINITY;
  shown: ShownOrder | undefined;

  constructor(id: string) {
    this.id = id;
  }

  channelIn(format: LiveFormat): Channel | undefined {
    return this.channels.find((channel) => channel.format === format);
  }

  /**
   * The state that the fragment should show now. Undefined if the order is unknown, or if the fragment already shows
   * this state.
   * @param estimate estimates the wait at a position of the queue
   */
  change(
    held: number,
    tripOffer: TripOffer | undefined,
    estimate: (position: number) => EstimatedWait | undefined,
  ): ShownOrder | undefined {
    const { order, shown } = this;
    if (order === undefined) return undefined;
    const isQueued = order.status === 'queued';
    const queuePosition = isQueued ? this.queuePosition : undefined;
    const estimatedWait = queuePosition === undefined ? undefined : estimate(queuePosition);
    const inProgress = isQueued ? held : 0;
    const offer = offersAgain(order) ? tripOffer : undefined;
    const isSame =
      shown !== undefined &&
      isSameState(shown.order, order) &&
      shown.queuePosition === queuePosition &&
      isSameWait(shown.estimatedWait, estimatedWait) &&
      shown.inProgress === inProgress &&
      shown.offer === offer;
    return isSame ? undefined : { order, queuePosition, estimatedWait, inProgress, offer };
  }
}

/** The watched orders of one package. They change together with the package or with its queue. */
export class WatchedPackage {
  /** The queued orders, by number. */
  readonly queued = new Map<number, WatchedOrder>();
  /** Orders whose pages offer to order the same trip again. */
  readonly reorderable = new Set<WatchedOrder>();
  /** The offer that the pages of `reorderable` show. */
  offer: TripOffer | undefined;
  #first: readonly number[] = [];
  /** The newest whole queue, until its positions are set. */
  #all: NumberRuns | undefined;

  isEmpty(): boolean {
    return this.queued.size === 0 && this.reorderable.size === 0;
  }

  setQueue({ first, all }: QueueSnapshot): void {
    this.#first = first;
    this.#all = all ?? this.#all;
  }

  /** Sets the positions at the head of the queue. Returns the watched orders at the head. */
  positionFirst(): WatchedOrder[] {
    const positioned: WatchedOrder[] = [];
    for (const [index, number] of this.#first.entries()) {
      const watched = this.queued.get(number);
      if (watched === undefined) continue;
      watched.queuePosition = index + 1;
      positioned.push(watched);
    }
    return positioned;
  }

  /** Sets all known positions. The head comes last, because it may be newer than the whole queue. */
  positionAll(): void {
    if (this.#all !== undefined) {
      const positions = new Positions(this.#all);
      for (const [number, watched] of this.queued) {
        watched.queuePosition = positions.of(number) ?? watched.queuePosition;
      }
    }
    this.#all = undefined;
    this.positionFirst();
  }
}

/** Compares only the status and the length of the timeline, because every change of an order adds to its timeline. */
export function isSameState(a: Order, b: Order): boolean {
  return a === b || (a.status === b.status && a.timeline.length === b.timeline.length);
}

function isSameWait(a: EstimatedWait | undefined, b: EstimatedWait | undefined): boolean {
  return a?.minSeconds === b?.minSeconds && a?.maxSeconds === b?.maxSeconds;
}
