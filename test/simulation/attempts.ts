import type { AbortState } from '../../src/lib/abort.ts';
import type { FaultRates } from './faults.ts';
import type { IsolationChecks } from './isolation-checks.ts';
import type { SimHost, World } from './world.ts';

/** `fails`: calls get an error at once. `hangs`: calls get no answer. */
export type PartnerOutage = 'fails' | 'hangs';

/** A single attempt to call a supplier or the payment provider, and what may go wrong with it. */
export interface PartnerCall<T> {
  readonly serve: () => T;
  readonly lost: keyof FaultRates;
  readonly replyLost: keyof FaultRates;
  /** The answer takes long. */
  readonly slow?: keyof FaultRates;
}

/** Makes an attempt. Rejects when the signal aborts. The call itself goes on. */
export type Attempt = <T>(
  what: string,
  key: string,
  signal: AbortState | undefined,
  call: PartnerCall<T>,
) => Promise<T>;

/** The timeout of an attempt. */
export const timeoutMs = 2_000;
/** How long slow answers take, in ms: the second is too late. */
const slowMs = [200, 5_000];

/** The attempts of one process over the simulated network. An attempt that was cut off may have taken effect. */
export function simAttempts(
  world: World,
  host: SimHost,
  isolation: IsolationChecks,
  outageOf: (what: string, key: string) => PartnerOutage | undefined,
): Attempt {
  const { scheduler, prng } = world;

  async function slowly<T>(answer: Promise<T>, slow: keyof FaultRates): Promise<T> {
    const result = await answer;
    if (!world.strikes(slow)) return result;
    return new Promise((resolve) =>
      scheduler.after(prng.pick(slowMs), 'a slow answer', () => resolve(result), host),
    );
  }

  return async function attempt<T>(
    what: string,
    key: string,
    signal: AbortState | undefined,
    { slow, ...call }: PartnerCall<T>,
  ): Promise<T> {
    const ended = isolation.attempt(what, key);
    try {
      const outage = outageOf(what, key);
      if (outage !== undefined) world.counters.count(`supplier ${outage}`);
      const answer =
        outage === 'hangs'
          ? new Promise<T>(() => {})
          : world.call(host, `${what} ${key}`, {
              ...{ failed: () => outage === 'fails', unavailable: () => new Error('no answer') },
              ...call,
            });
      const result = await race(slow === undefined ? answer : slowly(answer, slow), signal);
      ended('answered');
      return result;
    } catch (error) {
      ended('unknown');
      throw error;
    }
  };
}

/** Lets a request sometimes take effect only after its timeout. */
export function late<T>(world: World, fault: keyof FaultRates, what: string, serve: () => T): T {
  if (!world.strikes(fault)) return serve();
  const afterMs = timeoutMs + world.prng.pick([1, 1_000, 10_000]);
  world.scheduler.after(afterMs, what, () => void serve());
  throw new Error('timed out');
}

/** Lets a request sometimes arrive twice. */
export function twice<T>(world: World, fault: keyof FaultRates, what: string, serve: () => T): T {
  if (world.strikes(fault)) world.scheduler.after(world.prng.pick([1, 100, 5_000]), what, () => void serve());
  return serve();
}

/** Settles as `work` does, but rejects when the signal aborts. The work itself goes on. */
function race<T>(work: Promise<T>, signal: AbortState | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(new Error('stopped'));
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop);
    work.then(resolve, reject).finally(() => signal?.removeEventListener('abort', stop));
  });
}
