import pLimit from 'p-limit';
import type { Lease, Leases } from '../../cluster/lease.ts';
import { type BackoffOptions, backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import { StoreUnavailableError, UnreadableError } from '../../storage/store.ts';
import { type Actor, type Behaviour, type End, runActivation } from './activation.ts';
import { DrainRate, Mailbox } from './mailbox.ts';

export interface RuntimeOptions<Message, Active> {
  readonly behaviour: Behaviour<Message, Active>;
  /** Undefined for a single instance, which owns every package. */
  readonly leases?: Leases;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** The most messages in one mailbox. */
  readonly mailboxMax?: number;
  /** The most messages in one commit. */
  readonly batchMax?: number;
  /** `tellIfInTime` refuses a message that would wait longer than this, in ms. */
  readonly shedAfterMs?: number;
  /** An idle actor is passivated after this many ms. */
  readonly idleMs?: number;
  /** Called when a commit was fenced. The actor is then left to the instance that took it over. */
  readonly onFenced?: (id: number) => void;
}

/**
 * The result of an attempt to activate an actor: it is active; another instance holds its lease; it does not exist; this
 * instance cannot own it; the store or the lease service did not answer; this instance does not try now.
 */
export type Attempt = 'active' | 'notOwner' | 'unknown' | 'unable' | 'failed' | 'stopped';

interface Cell<Message, Active> {
  readonly id: number;
  readonly mailbox: Mailbox<Message>;
  readonly drainRate: DrainRate;
  /** Aborts when the actor is given away. */
  readonly leaving: AbortController;
  actor: Active | undefined;
  /** The actor's package was removed, or never existed. */
  isGone: boolean;
  /** The first attempt to activate it. */
  readonly attempt: PromiseWithResolvers<Attempt>;
  /** Resolves when the cell is removed. */
  ended: Promise<void>;
}

/** An actor that this instance cannot own. */
interface Unable {
  readonly failures: number;
  /** The duration of the last attempt, in ms. */
  readonly tookMs: number;
  /** Whether its next attempt must wait. */
  isPausing: boolean;
}

/** An active actor with its lease. */
interface Owned<Active> {
  readonly actor: Active;
  /** Undefined for a single instance, which owns every actor. */
  readonly lease: Lease | undefined;
}

const defaults = {
  metrics: noMetrics,
  mailboxMax: 20_000,
  batchMax: 1_000,
  /**
   * Well below the time that callers wait. Not shorter, because refused callers try again a second later, and these
   * requests slow down the accepted ones. With 1,000 ms, a load of ten times MongoDB's maximum reduced the throughput to
   * 40 %.
   */
  shedAfterMs: 4_000,
  idleMs: 60_000,
};
const retryFirstMs = 50;
const retryMaxMs = 2_000;
/**
 * The pauses of an actor that this instance cannot own, for example because its document is damaged. With the interval of
 * the scans, a repaired document has an owner within 5 s.
 */
const unableBackoff: BackoffOptions = { firstMs: 1_000, maxMs: 3_000 };
/** Their pauses are longer if there are many, so that all of them together cause at most 100 attempts a second. */
const unableSpacingMs = 10;
/**
 * An attempt may read a long queue before it fails, so the pause is at least as long as the shorter one of the last two
 * attempts. A single attempt is also long if the process was paused.
 */
const unablePauseMaxMs = 60_000;
/**
 * The most actors that are being activated at once. MongoDB takes these over together, in a few milliseconds. More would
 * keep commits of active actors waiting.
 */
const activatingMax = 256;

/** Activates actors when they get messages, reactivates them after failures, and passivates idle ones. */
export class ActorRuntime<Message, Active extends Actor<Message, unknown, unknown>> {
  readonly #options: RuntimeOptions<Message, Active> & typeof defaults;
  readonly #cells = new Map<number, Cell<Message, Active>>();
  readonly #draining = new AbortController();
  readonly #limitActivating = pLimit(activatingMax);
  readonly #unable = new Map<number, Unable>();

  constructor(options: RuntimeOptions<Message, Active>) {
    this.#options = { ...defaults, ...options };
    const { metrics } = this.#options;
    const sizes = () => [...this.#cells.values()].map(({ mailbox }) => mailbox.size);
    metrics.gauge('active_actors', () => this.#cells.size);
    metrics.gauge('mailbox_messages', () => sizes().reduce((sum, size) => sum + size, 0));
    metrics.gauge('mailbox_messages_max', () => Math.max(0, ...sizes()));
  }

  /** Sends a message. False when the mailbox is full or the runtime drains. */
  tell(id: number, message: Message): boolean {
    if (this.#draining.signal.aborted) return false;
    return this.#cell(id).mailbox.offer(message);
  }

  /** Sends a message like {@link tell}. False also if the message would wait too long. */
  tellIfInTime(id: number, message: Message): boolean {
    if (this.#draining.signal.aborted) return false;
    const { mailbox, drainRate } = this.#cell(id);
    return !drainRate.isTooLong(mailbox.size, this.#options.clock.monotonic()) && mailbox.offer(message);
  }

  /** Sends a message to an active actor; drops it if the actor is not active. */
  notify(id: number, message: Message): void {
    this.#cells.get(id)?.mailbox.put(message);
  }

  /** Activates an actor that may have unfinished work. Resolves after the first attempt. Never rejects. */
  async wake(id: number): Promise<Attempt> {
    if (this.#draining.signal.aborted || this.isPausing(id)) return 'stopped';
    return this.#cell(id).attempt.promise;
  }

  /** Whether this instance has failed to activate the actor, and waits before it tries again. */
  isPausing(id: number): boolean {
    return this.#unable.get(id)?.isPausing === true;
  }

  /** The actors that this instance has failed to activate, for a reason that a retry does not remove. */
  unableIds(): number[] {
    return [...this.#unable.keys()];
  }

  /** The actor if it is active, else undefined. */
  actor(id: number): Active | undefined {
    return this.#cells.get(id)?.actor;
  }

  /** The number of messages in the mailbox of an actor. */
  mailboxSize(id: number): number {
    return this.#cells.get(id)?.mailbox.size ?? 0;
  }

  /** Ids of the actors that are active or being activated. */
  activeIds(): number[] {
    return [...this.#cells.keys()];
  }

  /** Finishes the current batch of an actor, releases its lease, and redirects the messages in its mailbox. */
  async release(id: number): Promise<void> {
    const cell = this.#cells.get(id);
    cell?.leaving.abort('released');
    await cell?.ended;
  }

  /** Ends an actor whose package was removed. Messages in its mailbox are answered with `unknown`. */
  retire(id: number): void {
    const cell = this.#cells.get(id);
    if (cell === undefined) return;
    cell.isGone = true;
    cell.leaving.abort('removed');
  }

  /** Refuses new messages and releases every actor. Returns the ids of the actors. */
  async handOver(): Promise<number[]> {
    this.#draining.abort('handed over');
    const ids = this.activeIds();
    await Promise.all(ids.map((id) => this.release(id)));
    return ids;
  }

  /**
   * Commits the messages in the mailboxes, for at most `timeoutMs`. Then ends every activation and refuses new
   * messages.
   */
  async drain(timeoutMs = 5_000): Promise<void> {
    const { clock } = this.#options;
    const until = clock.monotonic() + timeoutMs;
    const busy = () => [...this.#cells.values()].some((cell) => cell.mailbox.size > 0);
    while (busy() && clock.monotonic() < until) await clock.sleep(5);
    this.#draining.abort();
    await Promise.all([...this.#cells.values()].map((cell) => cell.ended));
  }

  #cell(id: number): Cell<Message, Active> {
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      cell = {
        id,
        mailbox: new Mailbox<Message>(this.#options.mailboxMax),
        drainRate: new DrainRate(this.#options),
        leaving: new AbortController(),
        actor: undefined,
        isGone: false,
        attempt: Promise.withResolvers<Attempt>(),
        ended: Promise.resolve(),
      };
      this.#cells.set(id, cell);
      cell.ended = this.#live(cell);
    }
    return cell;
  }

  async #live(cell: Cell<Message, Active>): Promise<void> {
    const { behaviour, clock } = this.#options;
    const stop = AbortSignal.any([this.#draining.signal, cell.leaving.signal]);
    let pauseMs = retryFirstMs;
    while (!stop.aborted) {
      const startedAt = clock.monotonic();
      const end = await this.#activate(cell, stop);
      // Without leases, two owners would keep fencing each other, so this one stops.
      if (end === 'fenced' && this.#options.onFenced !== undefined) break;
      if (end === 'unknown' || end === 'gone') cell.isGone = true;
      if (end === 'notOwner' || end === 'unable') break;
      if (cell.isGone || (end === 'idle' && cell.mailbox.size === 0)) break;
      // Back off if the activation was short. After a long activation, the next one may follow at once.
      pauseMs = clock.monotonic() - startedAt > retryMaxMs ? retryFirstMs : Math.min(pauseMs * 2, retryMaxMs);
      if (end !== 'idle') await clock.sleep(pauseMs, stop);
      cell.mailbox.putBack(behaviour.expire(cell.mailbox.take(Infinity), clock.monotonic(), 'owner'));
    }
    this.#cells.delete(cell.id);
    cell.attempt.resolve('stopped');
    const left = cell.mailbox.take(Infinity);
    if (cell.isGone) behaviour.unknown(left);
    else behaviour.redirect(left);
  }

  /** One activation, from its attempt to its end. */
  async #activate(cell: Cell<Message, Active>, leaving: AbortSignal): Promise<End | Attempt> {
    const { log, onFenced } = this.#options;
    const { id, drainRate } = cell;
    const owned = await this.#limitActivating(() => this.#own(id, leaving));
    cell.attempt.resolve(typeof owned === 'string' ? owned : 'active');
    if (typeof owned === 'string') return owned;
    const { actor, lease } = owned;
    try {
      cell.actor = actor;
      const stop = lease === undefined ? leaving : AbortSignal.any([leaving, lease.lost]);
      const isHeld = () => lease?.isHeld() ?? true;
      const end = await runActivation({ ...this.#options, ...cell, actor, stop, isHeld });
      if (lease?.lost.aborted) log.warn({ actor: id }, 'the lease is in doubt: the actor stopped acting');
      if (end === 'fenced') onFenced?.(id);
      return end;
    } catch (error) {
      log.warn({ actor: id, err: error }, 'an activation failed and is tried again');
      return 'failed';
    } finally {
      cell.actor = undefined;
      drainRate.forget();
      await lease?.release();
    }
  }

  /** Takes the lease and the ownership of an actor. Keeps the lease only if both succeed. */
  async #own(id: number, leaving: AbortSignal): Promise<Owned<Active> | Attempt> {
    const { behaviour, clock, leases, log } = this.#options;
    if (leaving.aborted) return 'stopped';
    let lease: Lease | undefined;
    let actor: Active | undefined;
    let leasedAt: number | undefined;
    try {
      lease = await leases?.acquire(id);
      if (leases !== undefined && lease === undefined) return 'notOwner';
      if (leaving.aborted) return 'stopped';
      leasedAt = clock.monotonic();
      actor = await behaviour.activate(id);
      this.#unable.delete(id);
      return actor === undefined ? 'unknown' : { actor, lease };
    } catch (error) {
      const isPassing = error instanceof StoreUnavailableError && !(error instanceof UnreadableError);
      if (leasedAt !== undefined && !isPassing) return this.#cannotOwn(id, leasedAt, error);
      log.warn({ actor: id, err: error }, 'an activation failed and is tried again');
      return 'failed';
    } finally {
      if (actor === undefined) await lease?.release();
    }
  }

  /** Notes that an actor cannot be activated here, and when the next attempt may follow. */
  #cannotOwn(id: number, triedAt: number, error: unknown): 'unable' {
    const { clock, log } = this.#options;
    const former = this.#unable.get(id);
    const failures = (former?.failures ?? 0) + 1;
    const tookMs = clock.monotonic() - triedAt;
    const unable: Unable = { failures, tookMs, isPausing: true };
    this.#unable.set(id, unable);
    const readsMs = Math.min(tookMs, former?.tookMs ?? 0);
    const leastMs = Math.max(this.#unable.size * unableSpacingMs, readsMs);
    const pauseMs = Math.max(backoffMs(failures, unableBackoff), Math.min(leastMs, unablePauseMaxMs));
    void clock.sleep(pauseMs).then(() => {
      unable.isPausing = false;
    });
    const level = failures === 1 ? 'warn' : 'debug';
    log[level]({ actor: id, err: error }, 'this instance cannot own an actor: other instances are asked');
    return 'unable';
  }
}
