import type { ErrorCode } from '../domain/errors.ts';
import type { Result } from '../engine/operated-engine.ts';
import type { Clock } from '../lib/clock.ts';
import { defined } from '../lib/defined.ts';
import type { Json } from '../lib/json.ts';
import type { Page } from '../lib/page.ts';
import type { Random } from '../lib/random.ts';
import type { Log } from '../observability/log.ts';
import type {
  Operator,
  OperatorAction,
  OperatorEvent,
  OperatorEventEnd,
  OperatorLog,
  OperatorTarget,
} from '../storage/operator-log.ts';
import { StoreUnavailableError } from '../storage/store.ts';

export interface ChangeLogOptions {
  readonly store: OperatorLog;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** The name of this instance. */
  readonly instance: string;
}

/** A change that an operator requests. */
export interface ChangeRequest {
  readonly by: Operator;
  readonly action: OperatorAction;
  readonly target: OperatorTarget;
  /** The requested values. */
  readonly wish?: Json;
  /** The values before the change. */
  readonly before?: Json | undefined;
}

/** After these errors it is unknown whether the change was made. */
const unknownOutcomes: ReadonlySet<ErrorCode> = new Set([
  'no_owner',
  'no_answer',
  'overloaded',
  'store_unavailable',
  'internal',
]);

const endPausesMs = [0, 100, 400, 1_500];
const pageSizeDefault = 50;
const pageSizeMax = 200;

/**
 * Makes changes and writes an entry for each into the change log. The entry is written before the change is made. If
 * the entry cannot be written, nothing is changed. The entry is ended before the operator is answered. If ending it
 * fails repeatedly, the operator still gets the result of the change, and the entry stays open.
 */
export class ChangeLog {
  readonly #options: ChangeLogOptions;
  #count = 0;

  constructor(options: ChangeLogOptions) {
    this.#options = options;
  }

  /** The log, newest first, at most 200 entries a page. @throws StoreUnavailableError */
  list(cursor?: string, limit = pageSizeDefault): Promise<Page<OperatorEvent>> {
    return this.#options.store.operatorEvents(cursor, Math.min(limit, pageSizeMax));
  }

  /**
   * Makes a change and logs it.
   * @param after the values after the change, for the log.
   */
  async record<Value>(
    request: ChangeRequest,
    change: () => Promise<Result<Value>>,
    after: (value: Value) => Json | undefined = () => undefined,
  ): Promise<Result<Value>> {
    const { clock, random, store, instance } = this.#options;
    // The counter keeps entries of the same millisecond in the order of their requests.
    const id = `${String(this.#count++).padStart(9, '0')}-${Buffer.from(random.bytes(12)).toString('base64url')}`;
    const event = { id, at: clock.now(), ...defined({ ...request }), instance, outcome: 'open' } as const;
    return orUnavailable(async () => {
      await store.appendOperatorEvent(event);
      try {
        const result = await change();
        await this.#end(id, result.kind === 'done' ? doneAs(after(result.value)) : refusedAs(result.code));
        return result;
      } catch (error) {
        const isUnavailable = error instanceof StoreUnavailableError;
        await this.#end(id, refusedAs(isUnavailable ? 'store_unavailable' : 'internal'));
        throw error;
      }
    });
  }

  async #end(id: string, end: Omit<OperatorEventEnd, 'endedAt'>): Promise<void> {
    const { clock, store, log } = this.#options;
    const endedAt = clock.now();
    for (const pauseMs of endPausesMs) {
      if (pauseMs > 0) await clock.sleep(pauseMs);
      try {
        return await store.endOperatorEvent(id, { ...end, endedAt });
      } catch (err) {
        const fields = { err, event: id, outcome: end.outcome };
        log.warn(fields, "the end of an operator's change is not logged yet");
      }
    }
    log.error(
      { event: id, ...end },
      "the end of an operator's change could not be logged: its entry stays open",
    );
  }
}

function doneAs(after: Json | undefined): Omit<OperatorEventEnd, 'endedAt'> {
  return { outcome: 'done', ...defined({ after }) };
}

function refusedAs(code: ErrorCode): Omit<OperatorEventEnd, 'endedAt'> {
  return { outcome: unknownOutcomes.has(code) ? 'failed' : 'refused', code };
}

/** Turns a StoreUnavailableError of the work into a refusal. */
export async function orUnavailable<Value>(work: () => Promise<Result<Value>>): Promise<Result<Value>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreUnavailableError) return { kind: 'refused', code: 'store_unavailable' };
    throw error;
  }
}
