import type { Clock } from '../../lib/clock.ts';
import type { Log } from '../../observability/log.ts';
import type { Metrics } from '../../observability/metrics.ts';
import { CommitUnknownError, FencedError, StoreUnavailableError } from '../../storage/store.ts';
import { type Behaviour, GoneError } from './behaviour.ts';
import type { DrainRate } from './drain-rate.ts';
import type { Mailbox } from './mailbox.ts';

export interface ActivationOptions<State, Message, Known, Step> {
  readonly id: number;
  readonly behaviour: Behaviour<State, Message, Known, Step>;
  readonly state: State;
  readonly mailbox: Mailbox<Message>;
  /** Told how fast the mailbox is emptied. */
  readonly drainRate: DrainRate;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Aborts when the actor must stop acting: drained, or its lease in doubt. */
  readonly stop: AbortSignal;
  /** Asked before each commit: a process that was paused past its lease finds out before its timers do. */
  readonly isHeld?: () => boolean;
  /** The most messages one commit takes. */
  readonly batchMax: number;
  /** An actor with nothing going on ends after this many ms. */
  readonly idleMs: number;
}

/** Why an activation ended. After `gone`, `doubt` and `fenced` the state in memory must not be used any more. */
export type End = 'stopped' | 'idle' | 'fenced' | 'doubt' | 'gone';

const retryFirstMs = 50;
const retryMaxMs = 1_000;

/**
 * The loop of one active actor, with its group commit: while a commit is in flight the mailbox fills, so the
 * batch size follows the load by itself. Messages that were not processed when it ends are back in the mailbox.
 */
export async function runActivation<State, Message, Known, Step>(
  options: ActivationOptions<State, Message, Known, Step>,
): Promise<End> {
  const { behaviour, state, mailbox, metrics, stop } = options;
  const ended = new AbortController();
  try {
    behaviour.resume(state, ended.signal);
    while (!stop.aborted) {
      if (mailbox.size === 0 && (await waitsInVain(options))) return 'idle';
      const batch = mailbox.take(options.batchMax);
      if (batch.length === 0) continue;
      metrics.batch(batch.length);
      const interrupted = await new Batch(options, ended.signal).handle(batch);
      if (interrupted === undefined) continue;
      mailbox.putBack(interrupted.rest);
      return interrupted.end;
    }
    return 'stopped';
  } finally {
    ended.abort();
    behaviour.deactivated(state);
  }
}

/** True when nothing came for so long that the actor may be passivated. */
async function waitsInVain<State, Message, Known, Step>(
  options: ActivationOptions<State, Message, Known, Step>,
): Promise<boolean> {
  const { behaviour, state, mailbox, clock, stop, idleMs } = options;
  if (!behaviour.isIdle(state)) {
    await mailbox.arrival(stop);
    return false;
  }
  const waiting = new AbortController();
  const stopWaiting = () => waiting.abort();
  stop.addEventListener('abort', stopWaiting);
  await Promise.race([mailbox.arrival(waiting.signal), clock.sleep(idleMs, waiting.signal)]);
  waiting.abort();
  stop.removeEventListener('abort', stopWaiting);
  return mailbox.size === 0 && !stop.aborted;
}

/** Why the activation must end, and the messages that were not processed, in their order. */
interface Interrupted<Message> {
  readonly end: End;
  readonly rest: readonly Message[];
}

class Batch<State, Message, Known, Step> {
  readonly #options: ActivationOptions<State, Message, Known, Step>;
  readonly #ended: AbortSignal;
  /** Those that were tried alone, and are tried once more. */
  readonly #doubted = new Set<Message>();

  constructor(options: ActivationOptions<State, Message, Known, Step>, ended: AbortSignal) {
    this.#options = options;
    this.#ended = ended;
  }

  /** Commits the batch, or all of it but the messages that can't be. */
  async handle(batch: readonly Message[]): Promise<Interrupted<Message> | undefined> {
    const { behaviour, mailbox, clock, stop } = this.#options;
    let messages = [...batch];
    for (let pauseMs = retryFirstMs; messages.length > 0; pauseMs = Math.min(pauseMs * 2, retryMaxMs)) {
      if (stop.aborted) return { end: 'stopped', rest: messages };
      if (this.#options.isHeld?.() === false) {
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
        if (!(error instanceof StoreUnavailableError)) return this.#bisect(messages, error);
        this.#log('warn', error, 'the store is away: the batch waits');
        await clock.sleep(pauseMs, stop);
        messages = behaviour.expire(messages, clock.now(), 'store');
        // A saga's word in the batch waits for ever; the callers behind it do not.
        mailbox.putBack(behaviour.expire(mailbox.take(Infinity), clock.now(), 'store'));
      }
    }
    return undefined;
  }

  async #step(messages: readonly Message[]): Promise<void> {
    const { behaviour, state, clock, drainRate } = this.#options;
    const from = clock.now();
    const known = await behaviour.loadLookups(state, messages);
    const step = behaviour.decide(state, messages, known, clock.now());
    await behaviour.commit(state, step);
    drainRate.committed(messages.length, from, clock.now());
    try {
      behaviour.apply(state, step);
      behaviour.runEffects(state, step, this.#ended);
    } catch (error) {
      // The commit stands, the memory may not: only the store is to be believed now.
      throw new CommitUnknownError('a committed step could not be adopted', { cause: error });
    }
  }

  /** The error will not pass: halves the batch until the message that causes it stands alone. */
  async #bisect(messages: readonly Message[], error: unknown): Promise<Interrupted<Message> | undefined> {
    if (messages.length === 1) {
      const [message] = messages as [Message];
      if (!this.#doubted.has(message)) return this.#handleInDoubt(message);
      this.#log('error', error, 'a message could not be processed and was dropped');
      this.#options.behaviour.drop(message, error);
      return undefined;
    }
    const middle = messages.length >> 1;
    const second = messages.slice(middle);
    const interrupted = await this.handle(messages.slice(0, middle));
    if (interrupted === undefined) return this.handle(second);
    return { end: interrupted.end, rest: [...interrupted.rest, ...second] };
  }

  /** What a former life of this process has stored cannot be stored again: it is looked up before it is given up. */
  #handleInDoubt(message: Message): Promise<Interrupted<Message> | undefined> {
    const [doubted] = this.#options.behaviour.doubt([message]) as [Message];
    this.#doubted.add(doubted);
    return this.handle([doubted]);
  }

  #interrupt(end: End, messages: readonly Message[], error: Error): Interrupted<Message> {
    this.#log('warn', error, 'the activation ends: only the store is to be believed now');
    return { end, rest: this.#options.behaviour.doubt(messages) };
  }

  #log(level: 'warn' | 'error', error: unknown, message: string): void {
    this.#options.log[level]({ actor: this.#options.id, err: error }, message);
  }
}
