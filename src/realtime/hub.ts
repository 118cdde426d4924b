import type { PackageSnapshot } from '../domain/travel-package.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { offerOf } from '../http/pages/fragments/package.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import type { Channel, Subscription } from './channel.ts';
import type { Fragment } from './envelope.ts';
import { Fanout, type FanoutOptions, fanoutDefaults } from './fanout.ts';
import type { LiveBus } from './live-bus.ts';
import { OrderFeed } from './order-feed.ts';
import { PackageFeed } from './package-feed.ts';
import { Interval, Ticker } from './ticker.ts';
import type { CustomerTopic } from './topic.ts';
import { closeCodes, type Viewer } from './viewer.ts';
import type { ShownOrder, WatchedOrder } from './watched-order.ts';

/** Draws the very components that the pages are made of. */
export interface LiveRender {
  package(snapshot: PackageSnapshot): Fragment;
  order(shown: ShownOrder): Fragment;
}

export interface HubOptions extends FanoutOptions {
  readonly tickMs: number;
  /**
   * Changes gather for a ms per so many viewers, half a tick at most, before they are told: a unit that is held and
   * booked a few ms later costs a message to everybody, not two.
   */
  readonly gatherViewersPerMs: number;
  readonly maintenanceMs: number;
  /** How often packages, and orders without an outcome, are read again in case the bus lost a message. */
  readonly rereadMs: number;
  /** How many orders are read again per pulse at most. */
  readonly rereadsMax: number;
  /** Over how long a draining instance spreads its goodbyes, so that not everybody comes back in one moment. */
  readonly shutdownSpreadMs: number;
  /** How long they may take to say goodbye in turn. */
  readonly shutdownGraceMs: number;
}

/** How many reads of orders run beside each other. */
const rereadsAtOnce = 16;

const defaults: HubOptions = {
  ...fanoutDefaults,
  tickMs: 50,
  gatherViewersPerMs: 500,
  maintenanceMs: 1000,
  rereadMs: 3000,
  rereadsMax: 500,
  shutdownSpreadMs: 1000,
  shutdownGraceMs: 1000,
};

export interface HubDeps {
  readonly engine: Pick<BookingEngine, 'packages' | 'order' | 'queuePosition'>;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The fan-out of one instance. What changes is noted as it is told by the bus; each tick draws it once and brings
 * every viewer to the newest state; each pulse, once a second while somebody watches, does what need not be sooner.
 *
 * ```
 * bus ──► PackageBoard, OrderDesk ──(tick: draw)──► Channel ──(Fanout: offer)──► Viewer
 * store ──(join, pulse: read)──┘
 * ```
 */
export class Hub {
  readonly #deps: HubDeps;
  readonly #options: HubOptions;
  readonly #fanout: Fanout;
  readonly #board: PackageFeed;
  readonly #orders: OrderFeed;
  readonly #ticker: Ticker;
  readonly #pulse: Interval;
  readonly #stopped = new AbortController();
  readonly #unsubscribe: () => void;
  #viewers = 0;

  constructor(deps: HubDeps, render: LiveRender, options: Partial<HubOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaults, ...options };
    const { engine, clock, liveBus } = deps;
    this.#fanout = new Fanout(clock, this.#options);
    this.#board = new PackageFeed(engine, clock, (snapshot) => this.#safely(() => render.package(snapshot)));
    this.#orders = new OrderFeed({
      engine,
      clock,
      draw: (shown) => this.#safely(() => render.order(shown)),
      inProgress: (packageId) => this.#board.get(packageId)?.inventory.held ?? 0,
      offer: (packageId) => {
        const snapshot = this.#board.get(packageId);
        return snapshot && offerOf(snapshot, clock.now());
      },
    });
    const { tickMs, gatherViewersPerMs } = this.#options;
    const gatherMs = () => Math.min(this.#viewers / gatherViewersPerMs, tickMs / 2);
    this.#ticker = new Ticker(clock, { everyMs: tickMs, gatherMs }, () => this.#guarded(() => this.#tick()));
    const isNeeded = () => this.#viewers > 0;
    this.#pulse = new Interval(clock, this.#options.maintenanceMs, isNeeded, () =>
      this.#guarded(() => this.#beat()),
    );
    this.#unsubscribe = liveBus.subscribe({
      package: (snapshot) => this.#hearPackage(snapshot),
      removed: (packageId) => {
        this.#board.forget(packageId);
        if (this.#viewers > 0) this.#ticker.request();
      },
      order: (order) => {
        if (this.#orders.hear(order)) this.#ticker.request();
      },
      queue: (line) => {
        if (this.#orders.hearLine(line)) this.#ticker.request();
      },
    });
  }

  get viewers(): number {
    return this.#viewers;
  }

  /**
   * Seats a viewer. It is told the time at once, the present state at once or as soon as it is read, and from then
   * on whatever changes. A viewer of something that does not exist is closed.
   */
  subscribe(topic: CustomerTopic, viewer: Viewer): Subscription {
    const isFirst = !this.#board.isWatched();
    const channel = this.#channel(topic);
    const seat: Subscription = { viewer, topic, channel, version: 0, sentAt: 0, laggingSince: undefined };
    channel.subscriptions.add(seat);
    this.#viewers++;
    if (topic.kind === 'order') this.#openOrder(topic.orderId);
    else this.#openPackages(topic, isFirst);
    this.#fanout.open(seat);
    this.#pulse.wake();
    return seat;
  }

  /** Repeating it is harmless. */
  unsubscribe(seat: Subscription): void {
    if (!seat.channel.subscriptions.delete(seat)) return;
    this.#viewers--;
    this.#fanout.remove(seat);
    if (seat.topic.kind === 'order') this.#orders.leave(seat.topic.orderId);
    else this.#board.leave();
  }

  /** Stops listening and says goodbye to everybody, a few at a time; cuts who does not answer. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#ticker.stop();
    this.#pulse.stop();
    this.#stopped.abort();
    const { clock } = this.#deps;
    const { shutdownSpreadMs, shutdownGraceMs } = this.#options;
    const steps = 20;
    const seats = [...this.#seats()];
    const perStep = Math.ceil(seats.length / steps);
    for (let from = 0; from < seats.length; from += perStep) {
      for (const { viewer } of seats.slice(from, from + perStep)) {
        viewer.close(closeCodes.restart, 'this instance restarts');
      }
      await clock.sleep(shutdownSpreadMs / steps);
    }
    for (let waited = 0; this.#viewers > 0 && waited < shutdownGraceMs; waited += 50) await clock.sleep(50);
    for (const { viewer } of this.#seats()) viewer.terminate();
  }

  #channel(topic: CustomerTopic): Channel {
    if (topic.kind === 'order') return this.#orders.watch(topic.orderId).channel;
    return topic.kind === 'package' ? this.#board.single(topic.packageId) : this.#board.all;
  }

  #openOrder(orderId: string): void {
    const watch = this.#orders.watch(orderId);
    if (watch.order !== undefined) return;
    void this.#guarded(async () => {
      if (!this.#isRecent()) await this.#board.read();
      await this.#readOrder(watch);
      this.#ticker.request();
    });
  }

  #openPackages(topic: CustomerTopic, isFirst: boolean): void {
    // Whoever watched before is served by the tick; this draws what nobody was there to see.
    if (isFirst) this.#board.draw();
    const isKnown = topic.kind !== 'package' || this.#board.get(topic.packageId) !== undefined;
    if (isKnown && this.#isRecent()) return;
    void this.#guarded(async () => {
      await this.#board.read();
      if (topic.kind === 'package' && this.#board.get(topic.packageId) === undefined) {
        this.#close(this.#board.single(topic.packageId), 'no such package');
      }
      this.#ticker.request();
    });
  }

  async #readOrder(watch: WatchedOrder): Promise<void> {
    if (!(await this.#orders.read(watch))) this.#close(watch.channel, 'no such order');
  }

  #hearPackage(snapshot: PackageSnapshot): void {
    this.#board.hear(snapshot);
    this.#orders.hearProgress(snapshot.package.id);
    if (this.#viewers > 0) this.#ticker.request();
  }

  async #tick(): Promise<void> {
    for (const channel of this.#board.draw()) await this.#fanout.deliverAll(channel);
    for (const watch of this.#orders.draw()) await this.#fanout.deliverAll(watch.channel);
  }

  async #beat(): Promise<void> {
    await this.#fanout.deliverLagging();
    for (const channel of this.#channels()) await this.#fanout.sendHeartbeats(channel);
    this.#orders.moveAll();
    this.#expectOpening();
    this.#ticker.request();
    await this.#reread();
    this.#ticker.request();
  }

  /** A lost message is only a delay. */
  async #reread(): Promise<void> {
    const { rereadMs, rereadsMax } = this.#options;
    const before = this.#deps.clock.now() - rereadMs;
    if (this.#board.readAt <= before) await this.#board.read();
    const watches = this.#orders.unchecked(before, rereadsMax);
    for (let from = 0; from < watches.length; from += rereadsAtOnce) {
      await Promise.all(watches.slice(from, from + rereadsAtOnce).map((watch) => this.#readOrder(watch)));
    }
  }

  /** Draws a package anew in the very moment when its sale opens or closes. */
  #expectOpening(): void {
    const { clock } = this.#deps;
    const at = this.#board.nextOpeningOrClosing();
    const inMs = at === undefined ? Number.POSITIVE_INFINITY : at - clock.now();
    if (at === undefined || inMs > this.#options.maintenanceMs) return;
    void clock.sleep(inMs, this.#stopped.signal).then(() => {
      this.#board.openingOrClosing(at);
      this.#ticker.request();
    });
  }

  #isRecent(): boolean {
    return this.#board.readAt > this.#deps.clock.now() - 2 * this.#options.rereadMs;
  }

  #close(channel: Channel, reason: string): void {
    for (const { viewer } of channel.subscriptions) viewer.close(closeCodes.refused, reason);
  }

  *#channels(): Iterable<Channel> {
    yield* this.#board.channels();
    yield* this.#orders.channels();
  }

  *#seats(): Iterable<Subscription> {
    for (const channel of this.#channels()) yield* channel.subscriptions;
  }

  /** One fragment that cannot be drawn must not keep the others from being shown. */
  #safely(draw: () => Fragment): Fragment | undefined {
    try {
      return draw();
    } catch (error) {
      this.#deps.log.error({ err: error }, 'A live fragment could not be drawn.');
      return undefined;
    }
  }

  /** What is left undone is done by a later pulse. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.log.warn({ err: error }, 'The live pages could not be brought up to date; trying again.');
    }
  }
}
