import type { Messages } from '../../cluster/messages.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import { preference } from './routing/rendezvous.ts';

/** What placement needs of this instance's runtime. */
export interface Placeable {
  activeIds(): number[];
  wake(id: number): void;
  /** Finishes the batch, ends the activation and gives up the lease. */
  release(id: number): Promise<void>;
}

export interface PlacementOptions {
  readonly instance: string;
  readonly messages: Messages;
  readonly actors: Placeable;
  /** Actors with something to do, owned or not. @throws StoreUnavailableError */
  readonly unfinished: () => Promise<readonly number[]>;
  /** Tells those who are preferred for them to take these over. */
  readonly wakeElsewhere: (ids: readonly number[]) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** How often actors without an owner are looked for; default 1,000 ms. */
  readonly scanMs?: number;
  /** How long the members must stay the same before actors move; default 10,000 ms. */
  readonly stableMs?: number;
}

/** At most so many actors are woken or moved in one scan: many takeovers at once are spread out. */
const perScan = 100;

/**
 * Keeps every actor that has something to do at an instance, in the end at the one that rendezvous hashing prefers.
 * Which instance that is matters for balance only: the lease and the epoch decide who may act.
 */
export class Placement {
  readonly #options: PlacementOptions;
  readonly #stopping = new AbortController();
  #stableSince: number;
  readonly #unsubscribe: () => void;

  constructor(options: PlacementOptions) {
    this.#options = options;
    this.#stableSince = options.clock.now();
    this.#unsubscribe = options.messages.onMembers(() => {
      this.#stableSince = options.clock.now();
    });
  }

  /** Runs until it is stopped. */
  async run(): Promise<void> {
    const { clock, log, scanMs = 1_000 } = this.#options;
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#adopt();
        await this.#move();
      } catch (err) {
        log.debug({ err }, 'actors without an owner could not be looked for');
      }
      await clock.sleep(scanMs, this.#stopping.signal);
    }
  }

  stop(): void {
    this.#stopping.abort('stopped');
    this.#unsubscribe();
  }

  /** Wakes actors that have something to do and belong here; whoever owns one keeps it by its lease. */
  async #adopt(): Promise<void> {
    const { actors, unfinished } = this.#options;
    const active = new Set(actors.activeIds());
    const orphans = (await unfinished()).filter((id) => !active.has(id) && this.#isPreferredFor(id));
    if (this.#stopping.signal.aborted) return;
    for (const id of orphans.slice(0, perScan)) actors.wake(id);
  }

  /** Gives away actors that belong to another instance, once nobody has come or gone for a while. */
  async #move(): Promise<void> {
    const { actors, clock, wakeElsewhere, log, messages, stableMs = 10_000 } = this.#options;
    if (!messages.available || clock.now() - this.#stableSince < stableMs) return;
    const leaving = actors
      .activeIds()
      .filter((id) => !this.#isPreferredFor(id))
      .slice(0, perScan);
    if (leaving.length === 0) return;
    await Promise.all(leaving.map((id) => actors.release(id)));
    wakeElsewhere(leaving);
    log.info({ actors: leaving.length }, 'actors moved to their preferred owner');
  }

  #isPreferredFor(id: number): boolean {
    const { messages, instance } = this.#options;
    return preference(id, messages.members())[0] === instance;
  }
}
