import type { Messages } from '../../cluster/messages.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { Store } from '../../storage/store.ts';

/** The actors of this instance. */
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
  readonly store: Pick<Store, 'packagesWithUnfinished'>;
  /** Asks the preferred instance of each actor to take it over. */
  readonly wakeOnPreferred: (ids: readonly number[]) => void;
  readonly clock: Clock;
  readonly log: Log;
  /** Interval of the scans for actors without an owner; default 1,000 ms. */
  readonly scanMs?: number;
  /** Actors move only after the members have been the same for this long; default 10,000 ms. */
  readonly stableMs?: number;
}

/** The most actors that one scan wakes or moves. Spreads many takeovers over time. */
const perScan = 100;

/**
 * Activates actors that have unfinished work and no owner, and moves actors to their preferred instance.
 * The preference only balances the load. The lease and the epoch decide which instance may act.
 */
export class Placement {
  readonly #options: PlacementOptions;
  readonly #stopping = new AbortController();
  #stableSince: number;
  readonly #unsubscribe: () => void;

  constructor(options: PlacementOptions) {
    this.#options = options;
    this.#stableSince = options.clock.monotonic();
    this.#unsubscribe = options.messages.onMembers(() => {
      this.#stableSince = options.clock.monotonic();
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

  /**
   * Wakes actors that have unfinished work and prefer this instance. If an actor has an owner elsewhere, the lease
   * prevents a takeover.
   */
  async #adopt(): Promise<void> {
    const { actors, store } = this.#options;
    const active = new Set(actors.activeIds());
    const orphans = (await store.packagesWithUnfinished()).filter(
      (id) => !active.has(id) && this.#isPreferredFor(id),
    );
    if (this.#stopping.signal.aborted) return;
    for (const id of orphans.slice(0, perScan)) actors.wake(id);
  }

  /** Releases actors that prefer another instance, once the members are stable. */
  async #move(): Promise<void> {
    const { actors, clock, wakeOnPreferred, log, messages, stableMs = 10_000 } = this.#options;
    if (!messages.available || clock.monotonic() - this.#stableSince < stableMs) return;
    const leaving = actors
      .activeIds()
      .filter((id) => !this.#isPreferredFor(id))
      .slice(0, perScan);
    if (leaving.length === 0) return;
    await Promise.all(leaving.map((id) => actors.release(id)));
    wakeOnPreferred(leaving);
    log.info({ actors: leaving.length }, 'actors moved to their preferred owner');
  }

  #isPreferredFor(id: number): boolean {
    const { messages, instance } = this.#options;
    return preference(id, messages.members())[0] === instance;
  }
}

/**
 * Ranks the members as owners of an actor, the preferred member first, by rendezvous hashing (Thaler and Ravishankar,
 * 1998). All instances with the same members compute the same ranks. When a member leaves, only its actors move.
 */
export function preference(actor: number, members: readonly string[]): string[] {
  const ranked = members.map((member) => ({ member, weight: weigh(`${member}/${actor}`) }));
  ranked.sort((a, b) => b.weight - a.weight || (a.member < b.member ? -1 : 1));
  return ranked.map(({ member }) => member);
}

/** FNV-1a with MurmurHash3's finalizer, which spreads texts that differ only in their last characters. */
function weigh(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
