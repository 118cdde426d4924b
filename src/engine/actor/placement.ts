import type { Messages } from '../../cluster/messages.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { Store } from '../../storage/store.ts';
import type { Candidates } from './candidates.ts';
import type { Attempt } from './runtime.ts';
import { Takeovers } from './takeovers.ts';
import type { Traffic } from './traffic.ts';

/** The actors of this instance. */
export interface Placeable {
  activeIds(): number[];
  /** The actors that this instance failed to activate, for a reason that a retry does not remove. */
  unableIds(): number[];
  /** Resolves after the first attempt to activate the actor. Never rejects. */
  wake(id: number): Promise<Attempt>;
  /** Finishes the batch, ends the activation and gives up the lease. */
  release(id: number): Promise<void>;
}

export interface PlacementOptions {
  readonly instance: string;
  readonly messages: Pick<Messages, 'members' | 'onMembers' | 'available'>;
  readonly candidates: Candidates;
  readonly actors: Placeable;
  readonly store: Pick<Store, 'packagesWithUnfinished'>;
  /** Where the purchases of the actors arrive. */
  readonly traffic: Traffic;
  /** Asks a member to take these actors over. */
  readonly wakeOn: (member: string, ids: readonly number[]) => void;
  /** Tells the other instances which actors this one cannot own. */
  readonly tellUnable: (ids: readonly number[]) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Interval of the scans for actors without an owner; default 1,000 ms. Longer while scans are slow. */
  readonly scanMs?: number;
  /** Actors move only after the members have been the same for this long; default 10,000 ms. */
  readonly stableMs?: number;
}

/** The most actors that one scan moves. Spreads many takeovers over time. */
const perScan = 100;
/** The shortest pause between two scans, in ms. */
const pauseMinMs = 100;
/** The pause after a scan that failed, or while this instance cannot own an actor with unfinished work, in ms. */
const retryMs = 1_000;
/** Scans take at most this share of the time, unless the pause would be longer than `pauseMaxMs`. */
const scanShare = 0.1;
const pauseMaxMs = 3_000;

/**
 * Activates actors that have unfinished work and no owner, and moves actors to the instance at which nearly all of their
 * purchases arrive, or else to their preferred instance. Both only balance the load. The lease and the epoch decide which
 * instance may act.
 */
export class Placement {
  readonly #options: PlacementOptions;
  readonly #takeovers: Takeovers;
  #stopped = false;
  #stableSince: number;
  /** Aborts to begin the next scan before its time. */
  #soon = new AbortController();
  readonly #unsubscribe: () => void;

  constructor(options: PlacementOptions) {
    const { actors, candidates, clock, messages } = options;
    this.#options = options;
    this.#takeovers = new Takeovers({
      wake: (id) => actors.wake(id),
      onUnable: () => this.#scanSoon(),
      clock,
    });
    this.#stableSince = clock.monotonic();
    this.#unsubscribe = messages.onMembers(() => {
      this.#stableSince = clock.monotonic();
      candidates.forgetAbsent();
      this.#scanSoon();
    });
  }

  /** Runs until it is stopped. */
  async run(): Promise<void> {
    const { clock, log, scanMs = 1_000 } = this.#options;
    while (!this.#stopped) {
      const startedAt = clock.monotonic();
      let pauseMs = scanMs;
      try {
        this.#passOn();
        const orphans = await this.#adopt();
        await this.#move();
        if (this.#cannotOwnAnyOf(orphans)) pauseMs = Math.min(scanMs, retryMs);
      } catch (err) {
        log.debug({ err }, 'actors without an owner could not be looked for');
        pauseMs = Math.min(scanMs, retryMs);
      }
      const restMs = Math.min((clock.monotonic() - startedAt) * (1 / scanShare - 1), pauseMaxMs);
      const leastMs = Math.max(pauseMinMs, Math.min(restMs, scanMs));
      await clock.sleep(leastMs);
      await clock.sleep(Math.max(pauseMs, restMs) - leastMs, this.#soon.signal);
      this.#soon = new AbortController();
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#takeovers.stop();
    this.#scanSoon();
    this.#unsubscribe();
  }

  /**
   * Takes over actors that another instance gave away. An actor that does not prefer this instance follows its traffic,
   * which is not known here yet.
   */
  takeOver(ids: readonly number[]): void {
    const { instance, traffic } = this.#options;
    for (const id of ids) if (!this.#isPreferredFor(id)) traffic.choose(id, instance);
    this.#takeovers.addGiven(ids);
  }

  /** Notes that a member cannot own these actors. The next candidate of each adopts it. */
  noteUnable(member: string, ids: readonly number[]): void {
    if (this.#options.candidates.addUnable(member, ids)) this.#scanSoon();
  }

  #scanSoon(): void {
    this.#soon.abort();
  }

  /** Passes the actors that this instance cannot own on to the next candidates. Each scan repeats it for lost messages. */
  #passOn(): void {
    const { actors, candidates, instance, tellUnable } = this.#options;
    const unable = actors.unableIds();
    candidates.setUnable(instance, unable);
    if (unable.length > 0) tellUnable(unable);
  }

  /**
   * Wakes actors that have unfinished work and prefer this instance. If an actor has an owner elsewhere, the lease
   * prevents a takeover. Returns the actors that are not active here.
   */
  async #adopt(): Promise<readonly number[]> {
    const { actors, store } = this.#options;
    const unfinished = await store.packagesWithUnfinished();
    if (this.#stopped) return [];
    const active = new Set(actors.activeIds());
    const orphans = unfinished.filter((id) => !active.has(id));
    this.#takeovers.setOrphans(orphans, (id) => this.#isPreferredFor(id));
    return orphans;
  }

  #cannotOwnAnyOf(orphans: readonly number[]): boolean {
    const unable = new Set(this.#options.actors.unableIds());
    return orphans.some((id) => unable.has(id));
  }

  /** Releases actors that belong to another instance, once the members are stable. */
  async #move(): Promise<void> {
    const { actors, clock, wakeOn, log, messages, instance, traffic, stableMs = 10_000 } = this.#options;
    traffic.endWindows();
    if (!messages.available || clock.monotonic() - this.#stableSince < stableMs) return;
    const leaving = actors
      .activeIds()
      .filter((id) => this.#homeOf(id) !== instance)
      .slice(0, perScan);
    if (leaving.length === 0) return;
    const byHome = Map.groupBy(leaving, (id) => this.#homeOf(id));
    for (const id of leaving) traffic.forget(id);
    await Promise.all(leaving.map((id) => actors.release(id)));
    for (const [home, ids] of byHome) if (home !== undefined) wakeOn(home, ids);
    log.info({ actors: leaving.length }, 'actors moved to another owner');
  }

  /** The member that should own an actor of this instance. */
  #homeOf(id: number): string | undefined {
    const { candidates, messages, traffic } = this.#options;
    const chosen = traffic.chosen(id);
    const isFit =
      chosen !== undefined && messages.members().includes(chosen) && candidates.isAble(chosen, id);
    return isFit ? chosen : candidates.preferred(id);
  }

  #isPreferredFor(id: number): boolean {
    return this.#options.candidates.preferred(id) === this.#options.instance;
  }
}
