import type { Order } from '../domain/order.ts';
import type { PackageSnapshot } from '../domain/travel-package.ts';
import type { BookingEngine } from '../engine/engine.ts';
import { orderView, packageView } from '../http/api/views.ts';
import { orderElementId, orderFragment } from '../http/pages/fragments/order.ts';
import { offerOf, packageFragment, stayElementId } from '../http/pages/fragments/package.ts';
import { textsOf } from '../http/pages/texts/index.ts';
import { defaultLanguage } from '../http/pages/texts/languages.ts';
import type { QueueState } from '../http/queue-state.ts';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../observability/log.ts';
import {
  type Channel,
  closeCodes,
  Fanout,
  type FanoutOptions,
  type Fragment,
  fanoutDefaults,
  type LiveFormat,
  type Subscription,
  type Viewer,
} from './fanout.ts';
import type { CustomerTopic } from './handshake.ts';
import type { LiveBus } from './live-bus.ts';
import type { OrderMessage, PackageMessage } from './messages.ts';
import { OrderFeed } from './order-feed.ts';
import { listMax, PackageFeed, type WatchedPackages } from './package-feed.ts';
import { Interval, Ticker } from './schedule.ts';
import { type ShownOrder, WatchedOrder } from './watched-order.ts';

export interface LiveRender {
  package(snapshot: PackageSnapshot, format: LiveFormat): Fragment;
  order(shown: ShownOrder, format: LiveFormat): Fragment;
}

/** Renders fragments with the components of the pages, and JSON as the API's answers. */
export function liveRender(currency: string, clock: Clock): LiveRender {
  return {
    package: (snapshot, format) => ({
      rootId: stayElementId(snapshot.package.id),
      text:
        format === 'json'
          ? JSON.stringify({ package: packageView(snapshot) } satisfies PackageMessage)
          : String(packageFragment(snapshot, { currency, now: clock.now(), texts: textsOf(format) })),
    }),
    order: ({ order, ...shown }, format) => ({
      rootId: orderElementId,
      text:
        format === 'json'
          ? JSON.stringify({ order: orderView(order, queueState(order, shown)) } satisfies OrderMessage)
          : String(orderFragment(order, { ...shown, now: clock.now() }, textsOf(format))),
    }),
  };
}

function queueState({ status }: Order, shown: QueueState): QueueState | undefined {
  return status === 'queued' ? shown : undefined;
}

export interface HubOptions extends FanoutOptions {
  /** The least time between two renderings, in ms. */
  readonly tickMs: number;
  /**
   * Changes are gathered for 1 ms per this many viewers, but for half a tick at most. So a unit that is held and then
   * confirmed within a few ms costs each viewer one message instead of two.
   */
  readonly gatherViewersPerMs: number;
  /** How long a stopping instance spreads its close messages over, in ms, so that not all viewers reconnect at once. */
  readonly shutdownSpreadMs: number;
}

const maintenanceMs = 1000;
/** How often packages and unfinished orders are read from the store, in case the bus has lost an update. */
const rereadMs = 3000;
/** The most orders that one maintenance pass reads again. */
const rereadsMax = 500;
/** How many orders are read concurrently. */
const rereadsAtOnce = 16;
const shutdownSteps = 20;
/** How long viewers may take to answer the close message. */
const shutdownGraceMs = 1000;

const defaults: HubOptions = {
  ...fanoutDefaults,
  tickMs: 50,
  gatherViewersPerMs: 500,
  shutdownSpreadMs: 1000,
};

export interface HubDeps {
  readonly engine: Pick<
    BookingEngine,
    'packages' | 'cachedPackages' | 'order' | 'queuePosition' | 'estimatedWait'
  >;
  readonly liveBus: LiveBus;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The fan-out of one instance. The feeds are told of every change. Each tick renders the changes, once for each format
 * that is watched, and sends every viewer the newest state. Once a second, while somebody watches, a maintenance pass does
 * the less urgent work.
 *
 * ```
 * bus, store ──► cached packages ──► PackageFeed ──(tick)──► Channel ──(Fanout)──► Viewer
 * bus, store ──────────────────────► OrderFeed ─────┘
 * ```
 */
export class Hub {
  readonly #deps: HubDeps;
  readonly #options: HubOptions;
  readonly #fanout: Fanout;
  readonly #packages: PackageFeed;
  readonly #orders: OrderFeed;
  readonly #ticker: Ticker;
  readonly #maintenance: Interval;
  readonly #stopped = new AbortController();
  readonly #unsubscribe: () => void;
  #viewers = 0;
  /** When the last read of the watched packages began, in ms on the monotonic clock. */
  #packagesReadAt = Number.NEGATIVE_INFINITY;

  constructor(deps: HubDeps, render: LiveRender, options: Partial<HubOptions> = {}) {
    this.#deps = deps;
    this.#options = { ...defaults, ...options };
    const { engine, clock } = deps;
    const { cachedPackages } = engine;
    const { tickMs, gatherViewersPerMs } = this.#options;
    this.#fanout = new Fanout(clock, this.#options);
    const packages = new PackageFeed(cachedPackages, clock, (snapshot, format) =>
      this.#tryRender(() => render.package(snapshot, format)),
    );
    this.#packages = packages;
    this.#orders = new OrderFeed({
      engine,
      clock,
      render: (shown, format) => this.#tryRender(() => render.order(shown, format)),
      held: (packageId) => cachedPackages.peek(packageId)?.inventory.held ?? 0,
      offer(packageId) {
        const snapshot = cachedPackages.peek(packageId);
        return snapshot && offerOf(snapshot, clock.now());
      },
    });
    const gatherMs = () => Math.min(this.#viewers / gatherViewersPerMs, tickMs / 2);
    this.#ticker = new Ticker(clock, { everyMs: tickMs, gatherMs }, () =>
      this.#logged(async () => {
        for (const channel of packages.render()) await this.#fanout.deliverAll(channel);
        for (const channel of this.#orders.render()) await this.#fanout.deliverAll(channel);
      }),
    );
    this.#maintenance = new Interval(clock, {
      pauseMs: () => maintenanceMs,
      isNeeded: () => this.#viewers > 0,
      pass: () => this.#logged(() => this.#maintain()),
    });
    this.#unsubscribe = this.#listen();
  }

  get viewers(): number {
    return this.#viewers;
  }

  /**
   * Adds a viewer. The viewer is sent the time at once, the current state as soon as it is known, and then every
   * change. A viewer of one package or order that does not exist is closed. Returns a function that removes the viewer.
   */
  subscribe(topic: CustomerTopic, viewer: Viewer): () => void {
    const { watched, channel } = this.#watch(topic);
    const subscription = channel.subscribe(viewer);
    // Each list is read when its first viewer comes, so the next read of all lists is due later.
    if (this.#viewers++ === 0) this.#packagesReadAt = this.#deps.clock.monotonic();
    if (watched instanceof WatchedOrder) this.#loadOrder(watched);
    else this.#loadPackages(watched, topic.kind === 'package');
    this.#fanout.open(subscription);
    this.#maintenance.wake();
    return () => this.#remove(subscription, watched);
  }

  /** Whether a viewer of this topic can be added: the number of different lists of packages is bounded. */
  hasRoomFor(topic: CustomerTopic): boolean {
    const { format = defaultLanguage } = topic;
    return topic.kind !== 'packages' || this.#packages.hasRoomFor(topic.ids, format);
  }

  #remove(subscription: Subscription, watched: WatchedOrder | WatchedPackages): void {
    if (!this.#fanout.remove(subscription)) return;
    this.#viewers--;
    if (watched instanceof WatchedOrder) this.#orders.unwatch(watched);
    else this.#packages.unwatch(watched);
  }

  /** Closes all connections, a few at a time, and terminates viewers that do not answer. */
  async stop(): Promise<void> {
    this.#unsubscribe();
    this.#ticker.stop();
    this.#maintenance.stop();
    this.#stopped.abort();
    const { clock } = this.#deps;
    const { shutdownSpreadMs } = this.#options;
    const viewers = this.#allViewers();
    const perStep = Math.ceil(viewers.length / shutdownSteps);
    for (let from = 0; from < viewers.length; from += perStep) {
      for (const viewer of viewers.slice(from, from + perStep)) {
        viewer.close(closeCodes.restart, 'this instance restarts');
      }
      await clock.sleep(shutdownSpreadMs / shutdownSteps);
    }
    for (let waitedMs = 0; this.#viewers > 0 && waitedMs < shutdownGraceMs; waitedMs += 50) {
      await clock.sleep(50);
    }
    for (const viewer of this.#allViewers()) viewer.terminate();
  }

  #listen(): () => void {
    const { engine, liveBus } = this.#deps;
    const ignorePackages = engine.cachedPackages.subscribe({
      changed: ({ package: { id } }) => {
        this.#packages.update(id);
        this.#orders.updatePackage(id);
        if (this.#viewers > 0) this.#ticker.request();
      },
      removed: (last) => {
        this.#packages.remove(last);
        if (this.#viewers > 0) this.#ticker.request();
      },
    });
    const ignoreOrders = liveBus.subscribe({
      order: (order) => {
        if (this.#orders.update(order)) this.#ticker.request();
      },
      queue: (queue) => {
        if (this.#orders.updateQueue(queue)) this.#ticker.request();
      },
    });
    return () => {
      ignorePackages();
      ignoreOrders();
    };
  }

  #watch(topic: CustomerTopic): { watched: WatchedOrder | WatchedPackages; channel: Channel } {
    const { format = defaultLanguage } = topic;
    if (topic.kind === 'order') return this.#orders.watch(topic.orderId, format);
    const ids = topic.kind === 'package' ? [topic.packageId] : topic.ids;
    const watched = this.#packages.watch(ids, format);
    return { watched, channel: watched.channel };
  }

  #loadOrder(watched: WatchedOrder): void {
    if (watched.order !== undefined) return;
    void this.#logged(async () => {
      await this.#readOrder(watched);
      const { order } = watched;
      if (order !== undefined) await this.#deps.engine.cachedPackages.refresh([order.packageId]);
      this.#ticker.request();
    });
  }

  #loadPackages(watched: WatchedPackages, isSingle: boolean): void {
    const { clock, engine } = this.#deps;
    const exists = () =>
      !isSingle || [...watched.ids].some((id) => engine.cachedPackages.peek(id) !== undefined);
    const isFresh = this.#packagesReadAt > clock.monotonic() - 2 * rereadMs;
    if (isFresh && watched.channel.subscriptions.size > 1 && exists()) return;
    void this.#logged(async () => {
      await this.#readPackages(watched.isFirst, watched.ids);
      if (!exists()) this.#refuse(watched.channel, 'no such package');
      this.#ticker.request();
    });
  }

  /** Has the cache read these packages again, if its snapshots are old. It tells the feed what has changed. */
  async #readPackages(isFirst: boolean, ids: Iterable<number>): Promise<void> {
    const { engine } = this.#deps;
    if (isFirst) await engine.packages({ group: 'listed', limit: listMax });
    await engine.cachedPackages.refresh([...ids]);
  }

  async #readOrder(watched: WatchedOrder): Promise<void> {
    if (await this.#orders.read(watched)) return;
    for (const channel of watched.channels) this.#refuse(channel, 'no such order');
  }

  async #maintain(): Promise<void> {
    await this.#fanout.deliverLagging();
    for (const channel of this.#channels()) await this.#fanout.sendHeartbeats(channel);
    this.#orders.updateAll();
    this.#scheduleSaleChange();
    this.#ticker.request();
    await this.#reread();
    this.#ticker.request();
  }

  /** Reads packages and orders again if they had no update for a while, because the bus may lose updates. */
  async #reread(): Promise<void> {
    const before = this.#deps.clock.monotonic() - rereadMs;
    if (this.#packagesReadAt <= before) {
      this.#packagesReadAt = this.#deps.clock.monotonic();
      const ids = new Set([...this.#packages.ids(), ...this.#orders.packageIds()]);
      await this.#readPackages(this.#packages.isFirstWatched(), ids);
    }
    const unchecked = this.#orders.unchecked(before, rereadsMax);
    for (let from = 0; from < unchecked.length; from += rereadsAtOnce) {
      await Promise.all(
        unchecked.slice(from, from + rereadsAtOnce).map((watched) => this.#readOrder(watched)),
      );
    }
  }

  /**
   * Renders a package again at the moment when its sale opens or closes, if that moment is before the next maintenance
   * pass.
   */
  #scheduleSaleChange(): void {
    const { clock } = this.#deps;
    const at = this.#packages.nextSaleChange();
    const inMs = at - clock.now();
    if (inMs > maintenanceMs) return;
    void clock.sleep(inMs, this.#stopped.signal).then(() => {
      this.#packages.markSaleChange(at);
      this.#ticker.request();
    });
  }

  #refuse(channel: Channel, reason: string): void {
    for (const { viewer } of channel.subscriptions) viewer.close(closeCodes.refused, reason);
  }

  *#channels(): Iterable<Channel> {
    yield* this.#packages.channels();
    yield* this.#orders.channels();
  }

  #allViewers(): Viewer[] {
    return [...this.#channels()].flatMap(({ subscriptions }) =>
      [...subscriptions].map(({ viewer }) => viewer),
    );
  }

  /** Renders a fragment. Returns undefined if that fails, so that the other fragments are still shown. */
  #tryRender(render: () => Fragment): Fragment | undefined {
    try {
      return render();
    } catch (err) {
      this.#deps.log.error({ err }, 'A live fragment could not be rendered.');
      return undefined;
    }
  }

  /** Logs an error of the work instead of throwing it. A later maintenance pass does the work again. */
  async #logged(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (err) {
      this.#deps.log.warn({ err }, 'The live pages could not be updated; trying again.');
    }
  }
}
