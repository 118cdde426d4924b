import type { Clock } from '../../lib/clock.ts';
import type { Attempt } from './runtime.ts';

export interface TakeoversOptions {
  /** Tries to activate an actor. Never rejects. */
  readonly wake: (id: number) => Promise<Attempt>;
  /** Called when this instance cannot own an actor. */
  readonly onUnable: () => void;
  readonly clock: Pick<Clock, 'sleep'>;
}

/**
 * The most takeovers that are under way at once. Stores take over concurrent packages together, so many at once are
 * cheap. Half of the runtime's 256, so that actors which customers wake do not wait for all of these.
 */
const underWayMax = 128;
/** An actor whose lease another instance held is no orphan for this long: far below the time a lease takes to expire. */
const leasedPauseMs = 2_000;

/** Wakes actors without an owner, up to {@link underWayMax} at once. */
export class Takeovers {
  readonly #options: TakeoversOptions;
  /** The actors that other instances gave away, the next one last. */
  readonly #given: number[] = [];
  /** The actors that may have no owner, the next one last. */
  #orphans: number[] = [];
  /** The actors whose lease another instance held just now. */
  readonly #leased = new Set<number>();
  #lastOrphan = 0;
  #underWay = 0;
  #isStopped = false;

  constructor(options: TakeoversOptions) {
    this.#options = options;
  }

  /**
   * Replaces the list of actors that may have no owner. The takeovers continue after the last one that was tried, so
   * that those at the end of the list get their turn, too.
   * @param ids in ascending order
   * @param isMine whether this instance should take the actor over. An actor already in the list stays, even if it now
   * prefers another member, so that members that come and go do not delay it.
   */
  setOrphans(ids: readonly number[], isMine: (id: number) => boolean): void {
    const waiting = new Set(this.#orphans);
    const due = ids.filter((id) => !this.#leased.has(id) && (waiting.has(id) || isMine(id)));
    const isLater = (id: number) => id > this.#lastOrphan;
    this.#orphans = [...due.filter(isLater), ...due.filter((id) => !isLater(id))].reverse();
    this.#wakeNext();
  }

  /** Takes over actors that another instance gave away, before the others. */
  addGiven(ids: readonly number[]): void {
    for (const id of ids) this.#given.push(id);
    this.#wakeNext();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #wakeNext(): void {
    while (!this.#isStopped && this.#underWay < underWayMax) {
      const given = this.#given.pop();
      const id = given ?? this.#orphans.pop();
      if (id === undefined) return;
      if (given === undefined) this.#lastOrphan = id;
      void this.#wake(id);
    }
  }

  async #wake(id: number): Promise<void> {
    this.#underWay++;
    const attempt = await this.#options.wake(id);
    this.#underWay--;
    if (attempt === 'notOwner') void this.#pause(id);
    if (attempt === 'unable') this.#options.onUnable();
    this.#wakeNext();
  }

  async #pause(id: number): Promise<void> {
    this.#leased.add(id);
    await this.#options.clock.sleep(leasedPauseMs);
    this.#leased.delete(id);
  }
}
