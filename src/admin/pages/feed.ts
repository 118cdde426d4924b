import type { Html } from '../../http/pages/markup.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import { Channel, closeCodes, type Subscription, type Viewer } from '../../realtime/channel.ts';
import { Fanout, type FanoutOptions } from '../../realtime/fanout.ts';
import type { Fragment } from '../../realtime/frame.ts';
import type { SessionCheck } from '../../realtime/routes.ts';
import { Interval } from '../../realtime/ticker.ts';
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

export interface FeedOptions extends FanoutOptions {
  /** How often everything is read and drawn while somebody watches. */
  readonly everyMs: number;
  /** How often it is looked up whether those who watch still may. */
  readonly proveEveryMs: number;
  /** How long viewers may take to answer a goodbye. */
  readonly farewellGraceMs: number;
}

/**
 * The operators' live overview. It is read and drawn once for everybody who watches it, once per interval, and not
 * at all while nobody does; each viewer is sent what has changed.
 */
export class AdminFeed {
  readonly #deps: FeedDeps;
  readonly #options: FeedOptions;
  readonly #fanout: Fanout;
  readonly #pulse: Interval;
  readonly #seats = new Map<Subscription, SessionCheck>();
  #channel = new Channel();
  readonly #drawn = new Map<string, string>();
  /** The packages of the table that was sent last. */
  #listed = '';
  #provedAt = Number.NEGATIVE_INFINITY;
  #refreshing: Promise<void> | undefined;

  constructor(deps: FeedDeps, options: FeedOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#fanout = new Fanout(deps.clock, options);
    this.#pulse = new Interval(deps.clock, {
      pauseMs: () => options.everyMs,
      isNeeded: () => this.#seats.size > 0,
      pass: () => this.#guarded(() => this.#beat()),
    });
  }

  get viewers(): number {
    return this.#seats.size;
  }

  /** Seats a viewer: it is told the time at once, the present state as soon as it is read. Returns how it leaves. */
  join(viewer: Viewer, stillMay: SessionCheck): () => void {
    if (this.#seats.size === 0) this.#forget();
    const seat = this.#channel.subscribe(viewer);
    this.#seats.set(seat, stillMay);
    this.#fanout.open(seat);
    if (this.#seats.size === 1) void this.#guarded(() => this.#refresh());
    this.#pulse.wake();
    return () => this.#leave(seat);
  }

  /** Says goodbye to everybody; cuts who does not answer. */
  async stop(): Promise<void> {
    this.#pulse.stop();
    for (const { viewer } of this.#seats.keys()) viewer.close(closeCodes.restart, 'this instance restarts');
    const { clock } = this.#deps;
    for (let waited = 0; this.#seats.size > 0 && waited < this.#options.farewellGraceMs; waited += 50) {
      await clock.sleep(50);
    }
    for (const { viewer } of this.#seats.keys()) viewer.terminate();
  }

  #leave(seat: Subscription): void {
    this.#seats.delete(seat);
    this.#fanout.remove(seat);
  }

  /** What was drawn while somebody watched is old news to who comes later. */
  #forget(): void {
    this.#channel = new Channel();
    this.#drawn.clear();
    this.#listed = '';
  }

  async #beat(): Promise<void> {
    await this.#fanout.deliverLagging();
    await this.#fanout.sendHeartbeats(this.#channel);
    await this.#prove();
    if (this.#seats.size > 0) await this.#refresh();
  }

  /** Whoever has logged out elsewhere is shown nothing more. */
  async #prove(): Promise<void> {
    const now = this.#deps.clock.now();
    if (now - this.#provedAt < this.#options.proveEveryMs) return;
    this.#provedAt = now;
    for (const [{ viewer }, stillMay] of this.#seats) {
      if (!(await this.#isKnownToMay(stillMay))) viewer.close(closeCodes.refused, 'signed out');
    }
  }

  /** While the store is away nobody can tell, and just then operators have to see how things stand. */
  async #isKnownToMay(stillMay: SessionCheck): Promise<boolean> {
    try {
      return await stillMay();
    } catch (error) {
      if (error instanceof StoreUnavailableError) return true;
      throw error;
    }
  }

  #refresh(): Promise<void> {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #refreshOnce(): Promise<void> {
    const channel = this.#channel;
    const overview = await this.#deps.overview.read();
    const rows = await this.#deps.rows.draw(overview.packages, overview.now);
    if (channel !== this.#channel) return;
    channel.put(this.#news(overview, rows));
    await this.#fanout.deliverAll(channel);
  }

  /** What is drawn otherwise than before. A table with another set of rows goes before its rows. */
  #news(overview: Overview, rows: readonly Html[]): Fragment[] {
    const fragments = [...overviewFragments(overview), ...packageFragments(overview, rows)];
    const listed = overview.packages.map((each) => each.package.id).join();
    if (listed !== this.#listed) {
      this.#listed = listed;
      this.#drawn.clear();
      return this.#remember([packagesFragment(rows), ...fragments]);
    }
    return this.#remember(fragments.filter(({ rootId, html }) => this.#drawn.get(rootId) !== html));
  }

  #remember(fragments: readonly Fragment[]): Fragment[] {
    for (const { rootId, html } of fragments) this.#drawn.set(rootId, html);
    return [...fragments];
  }

  /** What is left undone is done by a later beat. */
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
