import type { ErrorCode } from '../domain/errors.ts';
import type { Clock } from '../lib/clock.ts';
import type { Json } from '../lib/json.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type {
  Operator,
  OperatorAction,
  OperatorEventEnd,
  OperatorLog,
  OperatorTarget,
} from '../storage/operator-log.ts';
import { StoreUnavailableError } from '../storage/store.ts';
import type { Outcome } from './admin-service.ts';

export interface ChangeLogOptions {
  readonly store: OperatorLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Of this instance. */
  readonly instance: string;
}

/** A change that somebody asks for. */
export interface Asked {
  readonly by: Operator;
  readonly action: OperatorAction;
  readonly target: OperatorTarget;
  readonly wish?: Json;
  readonly before?: Json | undefined;
}

/** After these what was wanted may have happened: nobody said. */
const unknownOutcomes: ReadonlySet<ErrorCode> = new Set([
  'no_owner',
  'no_answer',
  'overloaded',
  'store_unavailable',
  'internal',
]);

const endPausesMs = [0, 100, 400, 1_500];

/**
 * Makes changes, and writes each down. The entry is there before the change is made, so none is made without one:
 * where the log cannot be written, nothing is changed. It is ended before the operator is answered; where that fails
 * again and again, the answer says what happened all the same, and the entry stays open.
 */
export class ChangeLog {
  readonly #options: ChangeLogOptions;
  #count = 0;

  constructor(options: ChangeLogOptions) {
    this.#options = options;
  }

  /** @param after what to write down of what was changed. */
  async record<Value>(
    asked: Asked,
    change: () => Promise<Outcome<Value>>,
    after: (value: Value) => Json | undefined = () => undefined,
  ): Promise<Outcome<Value>> {
    const { clock, random, store, instance } = this.#options;
    const { before, ...rest } = asked;
    // In the order in which they come, also within a millisecond.
    const id = `${String(this.#count++).padStart(9, '0')}-${Buffer.from(random.bytes(12)).toString('base64url')}`;
    const event = { id, at: clock.now(), ...rest, ...(before === undefined ? {} : { before }), instance };
    try {
      await store.appendOperatorEvent({ ...event, outcome: 'open' });
    } catch (error) {
      return unavailable(error);
    }
    try {
      const outcome = await change();
      await this.#end(id, outcome.kind === 'done' ? doneAs(after(outcome.value)) : refusedAs(outcome.code));
      return outcome;
    } catch (error) {
      const isUnavailable = error instanceof StoreUnavailableError;
      await this.#end(id, refusedAs(isUnavailable ? 'store_unavailable' : 'internal'));
      return unavailable(error);
    }
  }

  async #end(id: string, end: Omit<OperatorEventEnd, 'endedAt'>): Promise<void> {
    const { clock, store, log } = this.#options;
    const endedAt = clock.now();
    for (const pauseMs of endPausesMs) {
      if (pauseMs > 0) await clock.sleep(pauseMs);
      try {
        return await store.endOperatorEvent(id, { ...end, endedAt });
      } catch (err) {
        log.warn(
          { err, event: id, outcome: end.outcome },
          "the end of an operator's change is not logged yet",
        );
      }
    }
    log.error(
      { event: id, ...end },
      "the end of an operator's change could not be logged: its entry stays open",
    );
  }
}

function doneAs(after: Json | undefined): Omit<OperatorEventEnd, 'endedAt'> {
  return { outcome: 'done', ...(after === undefined ? {} : { after }) };
}

function refusedAs(code: ErrorCode): Omit<OperatorEventEnd, 'endedAt'> {
  return { outcome: unknownOutcomes.has(code) ? 'failed' : 'refused', code };
}

/** Work of which a reading may fail, too: what the store does not answer is an operating error. */
export async function orUnavailable<Value>(work: () => Promise<Outcome<Value>>): Promise<Outcome<Value>> {
  try {
    return await work();
  } catch (error) {
    return unavailable(error);
  }
}

/** @throws whatever is no operating error. */
function unavailable(error: unknown): { readonly kind: 'refused'; readonly code: 'store_unavailable' } {
  if (error instanceof StoreUnavailableError) return { kind: 'refused', code: 'store_unavailable' };
  throw error;
}
