import type { AbortState } from '../lib/abort.ts';
import { WaitingCallers } from '../lib/waiting-callers.ts';

/** The slots of one package. */
interface Share {
  readonly packageId: number;
  used: number;
  readonly callers: WaitingCallers<void>;
}

/** Returns the slot. Call it once. */
export type ReleaseSlot = () => void;

/**
 * A bounded number of slots that packages share fairly.
 *
 * A package may take another slot while it uses fewer than are free. So one package alone uses a half of all slots, two
 * use a third each, and the rest is free for packages that use none. This is the dynamic threshold of shared buffers in
 * switches (Choudhury and Hahne, 1998). Packages that wait are served in turn, one slot each.
 */
export class FairSlots {
  readonly #max: number;
  #used = 0;
  /** Packages that use slots or wait for one. */
  readonly #shares = new Map<number, Share>();
  /** Packages that wait, in the order of their turns. */
  readonly #waiting = new Set<Share>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Packages that use slots or wait for one. */
  get packages(): number {
    return this.#shares.size;
  }

  /**
   * Takes a slot, at once if the package may have one now. An urgent call goes ahead of its package's waiting
   * calls, and may exceed the share: the package may use twice as many slots as are free.
   * @throws the signal's reason if it aborts first, as a rejection.
   */
  take(packageId: number, signal: AbortState, isUrgent = false): ReleaseSlot | Promise<ReleaseSlot> {
    const share = this.#shareOf(packageId);
    const isFirst = isUrgent || share.callers.size === 0;
    if (!isFirst || !this.#hasRoom(share, isUrgent)) return this.#wait(share, signal, isUrgent);
    this.#use(share);
    return () => this.#release(share);
  }

  async #wait(share: Share, signal: AbortState, isUrgent: boolean): Promise<ReleaseSlot> {
    this.#waiting.add(share);
    try {
      await share.callers.wait(signal, isUrgent);
    } catch (error) {
      this.#tidy(share);
      throw error;
    }
    return () => this.#release(share);
  }

  #shareOf(packageId: number): Share {
    const known = this.#shares.get(packageId);
    if (known !== undefined) return known;
    const share = { packageId, used: 0, callers: new WaitingCallers<void>() };
    this.#shares.set(packageId, share);
    return share;
  }

  #hasRoom({ used }: Share, isUrgent: boolean): boolean {
    const free = this.#max - this.#used;
    return used < (isUrgent ? 2 * free : free);
  }

  #use(share: Share): void {
    share.used += 1;
    this.#used += 1;
  }

  #release(share: Share): void {
    share.used -= 1;
    this.#used -= 1;
    this.#serve();
    this.#tidy(share);
  }

  /** Gives free slots to waiting packages. A package that has got one goes to the end. */
  #serve(): void {
    for (const share of this.#waiting) {
      if (this.#used === this.#max) return;
      if (!this.#hasRoom(share, share.callers.isNextUrgent)) continue;
      this.#waiting.delete(share);
      if (!share.callers.admit()) continue;
      this.#use(share);
      if (share.callers.size > 0) this.#waiting.add(share);
    }
  }

  /** Forgets a package that needs no slot. */
  #tidy(share: Share): void {
    if (share.callers.size > 0) return;
    this.#waiting.delete(share);
    if (share.used === 0 && this.#shares.get(share.packageId) === share) this.#shares.delete(share.packageId);
  }
}
