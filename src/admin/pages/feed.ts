import type { Html } from '../../http/pages/markup.ts';
import { singleFlight } from '../../lib/cached.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import {
  Channel,
  closeCodes,
  Fanout,
  type FanoutOptions,
  type Fragment,
  type Subscription,
  type Viewer,
} from '../../realtime/fanout.ts';
import type { SessionCheck } from '../../realtime/routes.ts';
import { Interval } from '../../realtime/schedule.ts';
import { StoreUnavailableError } from '../../storage/store.ts';
import type { Overview, OverviewReader } from './overview.ts';
import { overviewFragments, packageFragments, packagesFragment } from './overview-page.ts';
import type { PackageRows } from './package-rows.ts';

export interface FeedDeps {
  readonly overview: OverviewReader;
  readonly clock: Clock;
  readonly log: Log;
  readonly rows: PackageRows;
}

interface Watch {
  readonly stillMay: SessionCheck;
  readonly packageIds: readonly number[];
}

/** The most packages that are read and rendered besides those of the overview. */
const besideMax = 1_000;

export interface FeedOptions extends FanoutOptions {
  /** How often the overview is read and rendered while somebody watches. */
  readonly everyMs: number;
  /** How often the viewers' sessions are checked. */
  readonly proveEveryMs: number;
  /** How long viewers have to close their sockets at a shutdown. */
  readonly shutdownGraceMs: number;
}

/**
 * The live overview. It is read and rendered once per interval for all viewers together, and not at all without a
 * viewer. Each viewer gets only the fragments that have changed.
 */
export class AdminFeed {
  readonly #deps: FeedDeps;
  readonly #options: FeedOptions;
  readonly #fanout: Fanout;
  readonly #interval: Interval;
  readonly #subscriptions = new Map<Subscription, Watch>();
  #channel = new Channel();
  readonly #drawn = new Map<string, string>();
  /** The ids of the packages in the table that was sent last. */
  #listed = '';
  #provedAt = Number.NEGATIVE_INFINITY;
  readonly #refresh = singleFlight(() => this.#refreshOnce());

  constructor(deps: FeedDeps, options: FeedOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#fanout = new Fanout(deps.clock, options);
    this.#interval = new Interval(deps.clock, {
      pauseMs: () => options.everyMs,
      isNeeded: () => this.#subscriptions.size > 0,
      pass: () => this.#guarded(() => this.#beat()),
    });
  }

  get viewers(): number {
    return this.#subscriptions.size;
  }

  /**
   * Adds a viewer, who gets the time at once, and the state as soon as it is read. Returns a function that removes the
   * viewer.
   * @param packageIds packages whose rows the viewer shows besides those of the overview.
   */
  join(viewer: Viewer, stillMay: SessionCheck, packageIds: readonly number[] = []): () => void {
    if (this.#subscriptions.size === 0) this.#forget();
    const subscription = this.#channel.subscribe(viewer);
    this.#subscriptions.set(subscription, { stillMay, packageIds });
    this.#fanout.open(subscription);
    if (this.#subscriptions.size === 1) void this.#guarded(() => this.#refresh());
    this.#interval.wake();
    return () => this.#leave(subscription);
  }

  /** Closes all sockets, and terminates those that stay open. */
  async stop(): Promise<void> {
    this.#interval.stop();
    for (const { viewer } of this.#subscriptions.keys())
      viewer.close(closeCodes.restart, 'this instance restarts');
    const { clock } = this.#deps;
    for (
      let waited = 0;
      this.#subscriptions.size > 0 && waited < this.#options.shutdownGraceMs;
      waited += 50
    ) {
      await clock.sleep(50);
    }
    for (const { viewer } of this.#subscriptions.keys()) viewer.terminate();
  }

  #leave(subscription: Subscription): void {
    this.#subscriptions.delete(subscription);
    this.#fanout.remove(subscription);
  }

  /** Forgets the fragments of earlier viewers, because they are outdated when the next viewer comes. */
  #forget(): void {
    this.#channel = new Channel();
    this.#drawn.clear();
    this.#listed = '';
  }

  async #beat(): Promise<void> {
    await this.#fanout.deliverLagging();
    await this.#fanout.sendHeartbeats(this.#channel);
    await this.#prove();
    if (this.#subscriptions.size > 0) await this.#refresh();
  }

  /** Closes the sockets of sessions that were revoked. */
  async #prove(): Promise<void> {
    const now = this.#deps.clock.now();
    if (now - this.#provedAt < this.#options.proveEveryMs) return;
    this.#provedAt = now;
    for (const [{ viewer }, { stillMay }] of this.#subscriptions) {
      if (!(await this.#isKnownToMay(stillMay))) viewer.close(closeCodes.refused, 'signed out');
    }
  }

  /** While the store is away, sessions cannot be checked. Viewers stay: operators need the overview most just then. */
  async #isKnownToMay(stillMay: SessionCheck): Promise<boolean> {
    try {
      return await stillMay();
    } catch (error) {
      if (error instanceof StoreUnavailableError) return true;
      throw error;
    }
  }

  async #refreshOnce(): Promise<void> {
    const channel = this.#channel;
    const { overview: reader, rows: drawn } = this.#deps;
    const overview = await reader.read();
    const others = await reader.readPackages(this.#watchedBeside(overview));
    const rows = await drawn.draw(overview.packages, overview.now);
    const otherRows = await drawn.draw(others, overview.now);
    if (channel !== this.#channel) return;
    channel.put(this.#news(overview, rows, packageFragments(others, otherRows)));
    await this.#fanout.deliverAll(channel);
  }

  /** The packages that viewers show although they are not in the overview. */
  #watchedBeside({ packages }: Overview): number[] {
    const ids = new Set([...this.#subscriptions.values()].flatMap(({ packageIds }) => packageIds));
    for (const status of packages) ids.delete(status.package.id);
    return [...ids].slice(0, besideMax);
  }

  /** The fragments that have changed. If the set of rows has changed, the whole table comes before its rows. */
  #news(overview: Overview, rows: readonly Html[], others: readonly Fragment[]): Fragment[] {
    const fragments = [
      ...overviewFragments(overview),
      ...packageFragments(overview.packages, rows),
      ...others,
    ];
    const listed = overview.packages.map((each) => each.package.id).join();
    if (listed !== this.#listed) {
      this.#listed = listed;
      this.#drawn.clear();
      return this.#remember([packagesFragment(rows), ...fragments]);
    }
    return this.#remember(fragments.filter(({ rootId, text }) => this.#drawn.get(rootId) !== text));
  }

  #remember(fragments: readonly Fragment[]): Fragment[] {
    for (const { rootId, text } of fragments) this.#drawn.set(rootId, text);
    return [...fragments];
  }

  /** Logs a failure. The next interval tries again. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#deps.log.warn(
        { err: error },
        'The operators’ pages could not be brought up to date; trying again.',
      );
    }
  }
}
