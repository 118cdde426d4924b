import { Abort, type AbortState } from '../../lib/abort.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics } from '../../observability/metrics.ts';
import {
  CommitUnknownError,
  FencedError,
  StoreUnavailableError,
  UnreadableError,
} from '../../storage/store.ts';
import type { DrainRate, Mailbox } from './mailbox.ts';

/**
 * An active actor with its state. The loop calls these methods in turn, never two at a time: `resume`, then
 * `loadLookups → decide → commit → apply → runEffects` for each batch, and `end` at last.
 */
export interface Actor<Message, Lookups, Step> {
  /** Resumes the unfinished work of the previous activation. `signal` aborts when this activation ends. */
  resume(signal: AbortState): void;
  /** Reads the stored data that the messages of the batch refer to. */
  loadLookups(batch: readonly Message[]): Promise<Lookups>;
  /** Decides the batch as of now, without side effects. */
  decide(batch: readonly Message[], lookups: Lookups): Step;
  /**
   * Writes the step in one fenced transaction.
   * @throws GoneError, FencedError, CommitUnknownError, StoreUnavailableError, or another Error, which is permanent.
   */
  commit(step: Step): Promise<void>;
  /** Applies a committed step to the state in memory. */
  apply(step: Step): void;
  /** Answers callers, starts sagas, tells viewers. Must not throw. */
  runEffects(step: Step): void;
  /** Whether the actor has no unfinished work, so that it may be passivated. */
  readonly isIdle: boolean;
  end(): void;
}

/** Activates actors, and handles the messages that no active actor can process. */
export interface Behaviour<Message, Active> {
  /**
   * Becomes the owner under a new epoch and reads the state from the store. Undefined if the actor does not exist.
   * @throws UnreadableError if this release cannot read the state.
   */
  activate(id: number): Promise<Active | undefined>;
  /** Answers the messages whose deadline is before `now`, and returns the others. */
  expire(batch: readonly Message[], now: number, cause: 'store' | 'owner'): Message[];
  /** Tells the senders that another instance owns the actor. */
  redirect(batch: readonly Message[]): void;
  /** Tells the senders that the actor does not exist, or was removed. */
  unknown(batch: readonly Message[]): void;
  /** Tells the sender that this message alone could not be processed. */
  drop(message: Message): void;
  /** Marks messages whose commit may have been applied, so that the next attempt first looks them up in the store. */
  doubt(batch: readonly Message[]): Message[];
}

/** The actor's entity, for example its package, was removed from the store. */
export class GoneError extends Error {
  override readonly name = 'GoneError';
}

export interface ActivationOptions<Message, Lookups, Step> {
  readonly id: number;
  readonly behaviour: Pick<Behaviour<Message, unknown>, 'expire' | 'doubt' | 'drop'>;
  readonly actor: Actor<Message, Lookups, Step>;
  readonly mailbox: Mailbox<Message>;
  readonly drainRate: DrainRate;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Aborts when the actor must stop: it is drained or given away, or its lease is in doubt. */
  readonly stop: AbortSignal;
  /**
   * Whether the lease still holds. Checked before each commit, because a process that was paused past its lease has not
   * run its timers yet.
   */
  readonly isHeld: () => boolean;
  /** The most messages in one commit. */
  readonly batchMax: number;
  /** An idle actor ends after this many ms without a message. */
  readonly idleMs: number;
}

/**
 * The reason why an activation ended. After `gone`, `doubt` and `fenced` the actor's state must not be used any more.
 */
export type End = 'stopped' | 'idle' | 'fenced' | 'doubt' | 'gone';

const retryFirstMs = 50;
const retryMaxMs = 1_000;

/**
 * The loop of one active actor, with its group commit. While a commit is in flight the mailbox fills, so the batch
 * size follows the load. When the loop ends, messages that were not processed are back in the mailbox.
 */
export async function runActivation<Message, Lookups, Step>(
  options: ActivationOptions<Message, Lookups, Step>,
): Promise<End> {
  const { actor, mailbox, metrics, stop } = options;
  const ended = new Abort();
  try {
    actor.resume(ended);
    while (!stop.aborted) {
      if (mailbox.size === 0 && (await hasIdledOut(options))) return 'idle';
      const batch = mailbox.take(options.batchMax);
      if (batch.length === 0) continue;
      metrics.batch(batch.length);
      const interrupted = await new Batch(options).handle(batch);
      if (interrupted === undefined) continue;
      mailbox.putBack(interrupted.rest);
      return interrupted.end;
    }
    return 'stopped';
  } finally {
    ended.abort();
    actor.end();
  }
}

/** Waits for a message. True if the actor is idle and no message came for `idleMs`. */
async function hasIdledOut<Message, Lookups, Step>(
  options: ActivationOptions<Message, Lookups, Step>,
): Promise<boolean> {
  const { actor, mailbox, clock, stop, idleMs } = options;
  if (!actor.isIdle) {
    await mailbox.arrival(stop);
    return false;
  }
  const waiting = new Abort();
  const stopWaiting = () => waiting.abort();
  stop.addEventListener('abort', stopWaiting);
  await Promise.race([mailbox.arrival(waiting), clock.sleep(idleMs, waiting)]);
  waiting.abort();
  stop.removeEventListener('abort', stopWaiting);
  return mailbox.size === 0 && !stop.aborted;
}

/** The reason for the activation's end, and the unprocessed messages in the order of their arrival. */
interface Interrupted<Message> {
  readonly end: End;
  readonly rest: readonly Message[];
}

class Batch<Message, Lookups, Step> {
  readonly #options: ActivationOptions<Message, Lookups, Step>;
  /** Messages that failed alone. Each is tried once more, marked as in doubt. */
  readonly #doubted = new Set<Message>();

  constructor(options: ActivationOptions<Message, Lookups, Step>) {
    this.#options = options;
  }

  /** Commits the batch, and drops the messages that cannot be committed. */
  async handle(batch: readonly Message[]): Promise<Interrupted<Message> | undefined> {
    const { behaviour, mailbox, clock, stop } = this.#options;
    let messages = [...batch];
    for (let pauseMs = retryFirstMs; messages.length > 0; pauseMs = Math.min(pauseMs * 2, retryMaxMs)) {
      if (stop.aborted) return { end: 'stopped', rest: messages };
      if (!this.#options.isHeld()) {
        const { id: actor, log, metrics } = this.#options;
        metrics.staleWrite();
        log.warn(
          { actor, messages: messages.length },
          'a write of a stale owner was refused: its lease has run out',
        );
        return { end: 'stopped', rest: messages };
      }
      try {
        await this.#step(messages);
        return undefined;
      } catch (error) {
        this.#options.drainRate.forget();
        if (error instanceof GoneError) return { end: 'gone', rest: messages };
        if (error instanceof FencedError) return this.#interrupt('fenced', messages, error);
        if (error instanceof CommitUnknownError) return this.#interrupt('doubt', messages, error);
        // Only the message that refers to the unreadable document fails.
        const isAway = error instanceof StoreUnavailableError && !(error instanceof UnreadableError);
        if (!isAway) return this.#bisect(messages, error);
        this.#log('warn', error, 'the store is away: the batch waits');
        await clock.sleep(pauseMs, stop);
        messages = behaviour.expire(messages, clock.monotonic(), 'store');
        // A batch with a saga's result is retried without a time limit. Callers in the mailbox must not wait that long.
        mailbox.putBack(behaviour.expire(mailbox.take(Infinity), clock.monotonic(), 'store'));
      }
    }
    return undefined;
  }

  async #step(messages: readonly Message[]): Promise<void> {
    const { actor, clock, drainRate } = this.#options;
    const from = clock.monotonic();
    const lookups = await actor.loadLookups(messages);
    const step = actor.decide(messages, lookups);
    await actor.commit(step);
    drainRate.committed(messages.length, from, clock.monotonic());
    try {
      actor.apply(step);
      actor.runEffects(step);
    } catch (error) {
      // The step is committed, but the state in memory may be wrong: the next activation reads the store.
      throw new CommitUnknownError('a committed step could not be applied in memory', { cause: error });
    }
  }

  /** Halves the batch until the message that causes a permanent error is alone. */
  async #bisect(messages: readonly Message[], error: unknown): Promise<Interrupted<Message> | undefined> {
    if (messages.length === 1) {
      const [message] = messages as [Message];
      if (error instanceof UnreadableError) {
        this.#options.behaviour.expire([message], Number.POSITIVE_INFINITY, 'store');
        return undefined;
      }
      if (!this.#doubted.has(message)) return this.#handleInDoubt(message);
      this.#log('error', error, 'a message could not be processed and was dropped');
      this.#options.behaviour.drop(message);
      return undefined;
    }
    const middle = messages.length >> 1;
    const second = messages.slice(middle);
    const interrupted = await this.handle(messages.slice(0, middle));
    if (interrupted === undefined) return this.handle(second);
    return { end: interrupted.end, rest: [...interrupted.rest, ...second] };
  }

  /** A previous owner may have stored the message already, so the message is looked up before it is dropped. */
  #handleInDoubt(message: Message): Promise<Interrupted<Message> | undefined> {
    const [doubted] = this.#options.behaviour.doubt([message]) as [Message];
    this.#doubted.add(doubted);
    return this.handle([doubted]);
  }

  #interrupt(end: End, messages: readonly Message[], error: Error): Interrupted<Message> {
    this.#log('warn', error, 'the activation ends: the next one starts from the store');
    return { end, rest: this.#options.behaviour.doubt(messages) };
  }

  #log(level: 'warn' | 'error', error: unknown, message: string): void {
    this.#options.log[level]({ actor: this.#options.id, err: error }, message);
  }
}
