import type { Clock } from '../../lib/clock.ts';

/** A window has at least this many purchases: few of them reach the same instance by chance. */
const purchasesMin = 30;
/** A window lasts at least this long, so that an actor does not move more often than every other window, in ms. */
const windowMinMs = 2_000;
/** A window that has too few purchases by then counts as one without traffic, in ms. */
const windowMaxMs = 10_000;
/** An actor follows its traffic if one instance gets at least this share of the purchases, in two windows in a row. */
const followShare = 0.8;
/** An actor that has followed its traffic stays while its instance gets at least this share: less than one of two. */
const stayShare = 0.4;
/** An actor that has followed its traffic stays at least this long, because a takeover reads its queue, in ms. */
const stayMs = 30_000;

interface Window {
  begunAt: number;
  purchases: number;
  /** The purchases by the instance that customers sent them to. */
  readonly byInstance: Map<string, number>;
  /** The instance that got nearly all purchases of the window before. */
  leader: string | undefined;
  /** The instance that the traffic has chosen. */
  chosen: string | undefined;
  /** The choice does not change before. */
  chosenUntil: number;
}

/**
 * Notes at which instances the purchases of this instance's actors arrive. A load balancer may send all purchases of a
 * package to one instance, which should then own the package.
 *
 * ```
 *              two windows, 80 % each             a window with less than 40 %, or without purchases
 * not chosen ───────────────────────────► chosen ────────────────────────────────────────────────► not chosen
 * ```
 */
export class Traffic {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #windows = new Map<number, Window>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Notes a purchase that customers sent to this instance. */
  note(actor: number, instance: string): void {
    const window = this.#window(actor);
    window.purchases++;
    window.byInstance.set(instance, (window.byInstance.get(instance) ?? 0) + 1);
  }

  /** The instance that the traffic of an actor has chosen, if any. */
  chosen(actor: number): string | undefined {
    return this.#windows.get(actor)?.chosen;
  }

  /** Makes an instance the chosen one for at least {@link stayMs}. Then the traffic decides again. */
  choose(actor: number, instance: string): void {
    this.forget(actor);
    const window = this.#window(actor);
    window.chosen = instance;
    window.chosenUntil = window.begunAt + stayMs;
  }

  forget(actor: number): void {
    this.#windows.delete(actor);
  }

  /** Ends the windows that are complete. Call it often. */
  endWindows(): void {
    const now = this.#clock.monotonic();
    for (const [actor, window] of this.#windows) {
      const isBusy = window.purchases >= purchasesMin;
      const isOver = now - window.begunAt >= (isBusy ? windowMinMs : windowMaxMs);
      if (!isOver) continue;
      const isFixed = now < window.chosenUntil;
      if (!isBusy && !isFixed) this.forget(actor);
      else endWindow(window, now, isFixed);
    }
  }

  #window(actor: number): Window {
    let window = this.#windows.get(actor);
    if (window === undefined) {
      const begunAt = this.#clock.monotonic();
      const none = { leader: undefined, chosen: undefined };
      window = { begunAt, purchases: 0, byInstance: new Map(), ...none, chosenUntil: begunAt };
      this.#windows.set(actor, window);
    }
    return window;
  }
}

function endWindow(window: Window, now: number, isFixed: boolean): void {
  const { byInstance, purchases, chosen } = window;
  const shareOf = (instance: string) => (byInstance.get(instance) ?? 0) / purchases;
  const leads = (instance: string) => purchases >= purchasesMin && shareOf(instance) >= followShare;
  const leader = [...byInstance.keys()].find(leads);
  if (!isFixed) {
    if (leader !== undefined && leader === window.leader) window.chosen = leader;
    else if (chosen !== undefined && shareOf(chosen) < stayShare) window.chosen = undefined;
  }
  window.leader = leader;
  window.begunAt = now;
  window.purchases = 0;
  byInstance.clear();
}
