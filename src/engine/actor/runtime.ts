import type { Lease, Leases } from '../../cluster/lease.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import { type Metrics, noMetrics } from '../../observability/metrics.ts';
import { type End, runActivation } from './activation.ts';
import type { Behaviour } from './behaviour.ts';
import { DrainRate } from './drain-rate.ts';
import { Mailbox } from './mailbox.ts';

export interface RuntimeOptions<State, Message, Known, Step> {
  readonly behaviour: Behaviour<State, Message, Known, Step>;
  readonly leases: Leases;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics?: Metrics;
  /** Messages one mailbox holds before it refuses; default 20,000. */
  readonly mailboxMax?: number;
  /** The most messages one commit takes; default 1,000. */
  readonly batchMax?: number;
  /** A message that may be shed is refused when it would wait longer than this in its mailbox; default 4,000 ms. */
  readonly shedAfterMs?: number;
  /** An actor with nothing going on is passivated after this many ms; default 60,000. */
  readonly idleMs?: number;
  /** Called when a commit was refused because another instance has taken an actor over; it is left to that one then. */
  readonly onFenced?: (id: number) => void;
}

interface Cell<State, Message> {
  readonly id: number;
  readonly mailbox: Mailbox<Message>;
  readonly drainRate: DrainRate;
  /** Aborts when the actor is given away. */
  readonly leaving: AbortController;
  state: State | undefined;
  /** The thing that the actor stands for was removed, or never existed. */
  isGone: boolean;
  /** Resolves when the cell is gone. */
  ended: Promise<void>;
}

const batchMaxDefault = 1_000;
/**
 * Well below what callers wait. Sooner, and thousands who are told to come back a second later take the time that those
 * before them need: with 1,000 ms ten times the ceiling of MongoDB left 0.4 of it.
 */
const shedAfterMsDefault = 4_000;
const retryFirstMs = 50;
const retryMaxMs = 2_000;

/** Activates actors when they get messages, keeps them going over takeovers and failures, and passivates idle ones. */
export class ActorRuntime<State, Message, Known, Step> {
  readonly #options: RuntimeOptions<State, Message, Known, Step>;
  readonly #cells = new Map<number, Cell<State, Message>>();
  readonly #draining = new AbortController();

  constructor(options: RuntimeOptions<State, Message, Known, Step>) {
    this.#options = options;
    const sizes = () => [...this.#cells.values()].map(({ mailbox }) => mailbox.size);
    options.metrics?.gauge('active_actors', () => this.#cells.size);
    options.metrics?.gauge('mailbox_messages', () => sizes().reduce((sum, size) => sum + size, 0));
    options.metrics?.gauge('mailbox_messages_max', () =>
      sizes().reduce((most, size) => Math.max(most, size), 0),
    );
  }

  /** Sends a message that may be refused: false when the mailbox is full or the runtime drains. */
  tell(id: number, message: Message): boolean {
    if (this.#draining.signal.aborted) return false;
    return this.#cell(id).mailbox.offer(message);
  }

  /** The same, for a message that nothing depends on yet: false also when it would have to wait too long. */
  tellIfInTime(id: number, message: Message): boolean {
    if (this.#draining.signal.aborted) return false;
    const { mailbox, drainRate } = this.#cell(id);
    return !drainRate.isTooLong(mailbox.size, this.#options.clock.now()) && mailbox.offer(message);
  }

  /** Sends a message to an actor that is active anyway; dropped when it is not. */
  notify(id: number, message: Message): void {
    this.#cells.get(id)?.mailbox.put(message);
  }

  /** Activates an actor that may have something to recover. */
  wake(id: number): void {
    if (!this.#draining.signal.aborted) this.#cell(id);
  }

  /** The present state of an active actor, to read only. */
  state(id: number): State | undefined {
    return this.#cells.get(id)?.state;
  }

  /** How many messages wait for an actor. */
  mailboxSize(id: number): number {
    return this.#cells.get(id)?.mailbox.size ?? 0;
  }

  /** Those that are active or on their way to be. */
  activeIds(): number[] {
    return [...this.#cells.keys()];
  }

  isActive(id: number): boolean {
    return this.#cells.get(id)?.state !== undefined;
  }

  /** Gives an actor away: its batch is finished, its lease given up, and who still waits is sent elsewhere. */
  async release(id: number): Promise<void> {
    const cell = this.#cells.get(id);
    cell?.leaving.abort('released');
    await cell?.ended;
  }

  /** Ends an actor whose package was removed. Messages that wait in its mailbox get `unknown`. */
  retire(id: number): void {
    const cell = this.#cells.get(id);
    if (cell === undefined) return;
    cell.isGone = true;
    cell.leaving.abort('removed');
  }

  /** Takes nothing new and gives every actor away; returns their ids. */
  async handOver(): Promise<number[]> {
    this.#draining.abort('handed over');
    const ids = this.activeIds();
    await Promise.all(ids.map((id) => this.release(id)));
    return ids;
  }

  /** Commits what is in the mailboxes, then ends every activation. Nothing new is taken from here on. */
  async drain(timeoutMs = 5_000): Promise<void> {
    const { clock } = this.#options;
    const until = clock.now() + timeoutMs;
    const busy = () => [...this.#cells.values()].some((cell) => cell.mailbox.size > 0);
    while (busy() && clock.now() < until) await clock.sleep(5);
    this.#draining.abort();
    await Promise.all([...this.#cells.values()].map((cell) => cell.ended));
  }

  #cell(id: number): Cell<State, Message> {
    let cell = this.#cells.get(id);
    if (cell === undefined) {
      const {
        mailboxMax = 20_000,
        batchMax = batchMaxDefault,
        shedAfterMs = shedAfterMsDefault,
      } = this.#options;
      const mailbox = new Mailbox<Message>(mailboxMax);
      const drainRate = new DrainRate({ batchMax, shedAfterMs });
      const leaving = new AbortController();
      cell = { id, mailbox, drainRate, leaving, state: undefined, isGone: false, ended: Promise.resolve() };
      this.#cells.set(id, cell);
      cell.ended = this.#live(cell);
    }
    return cell;
  }

  async #live(cell: Cell<State, Message>): Promise<void> {
    const { behaviour, clock } = this.#options;
    const stop = AbortSignal.any([this.#draining.signal, cell.leaving.signal]);
    let pauseMs = retryFirstMs;
    while (!stop.aborted) {
      const startedAt = clock.now();
      const end = await this.#activate(cell, stop);
      // Without leases between them two owners would only fence each other in turns.
      if (end === 'fenced' && this.#options.onFenced !== undefined) break;
      if (end === 'unknown' || end === 'gone') cell.isGone = true;
      if (end === 'notOwner' || cell.isGone || (end === 'idle' && cell.mailbox.size === 0)) break;
      // An activation that ended at once will do so again: slow down. One that worked may be followed at once.
      pauseMs = clock.now() - startedAt > retryMaxMs ? retryFirstMs : Math.min(pauseMs * 2, retryMaxMs);
      if (end !== 'idle') await clock.sleep(pauseMs, stop);
      cell.mailbox.putBack(behaviour.expire(cell.mailbox.take(Infinity), clock.now(), 'owner'));
    }
    this.#cells.delete(cell.id);
    const left = cell.mailbox.take(Infinity);
    if (cell.isGone) behaviour.unknown(left);
    else behaviour.redirect(left);
  }

  async #activate(
    cell: Cell<State, Message>,
    leaving: AbortSignal,
  ): Promise<End | 'unknown' | 'failed' | 'notOwner'> {
    const {
      behaviour,
      leases,
      clock,
      log,
      onFenced,
      batchMax = batchMaxDefault,
      idleMs = 60_000,
    } = this.#options;
    const { metrics = noMetrics } = this.#options;
    const { id, mailbox, drainRate } = cell;
    let lease: Lease | undefined;
    try {
      lease = await leases.acquire(id);
      if (lease === undefined) return 'notOwner';
      const state = await behaviour.activate(id);
      if (state === undefined) return 'unknown';
      cell.state = state;
      const stop = AbortSignal.any([leaving, lease.lost]);
      const held = lease;
      const isHeld = () => held.isHeld?.() ?? true;
      const end = await runActivation({
        id,
        mailbox,
        drainRate,
        behaviour,
        state,
        clock,
        log,
        metrics,
        stop,
        isHeld,
        batchMax,
        idleMs,
      });
      if (lease.lost.aborted) log.warn({ actor: id }, 'the lease is in doubt: the actor stopped acting');
      if (end === 'fenced') onFenced?.(id);
      return end;
    } catch (error) {
      log.warn({ actor: id, err: error }, 'an activation failed and is tried again');
      return 'failed';
    } finally {
      cell.state = undefined;
      drainRate.forget();
      await lease?.release();
    }
  }
}
