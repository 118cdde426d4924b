import type { Order, Problem } from './api-types.ts';
import { OutcomeTimeoutError, ProblemError, TicketError } from './errors.ts';
import { type LiveMessage, type SocketConstructor, watch } from './live-socket.ts';
import { pauseMs } from './requests.ts';
import type { Clock, Random } from './timing.ts';

/** The state of an order in which nothing more will happen, unless a confirmed order is cancelled. */
export type FinalStatus = 'confirmed' | 'failed' | 'rejected' | 'withdrawn' | 'cancelled';

const finalStatuses: ReadonlySet<string> = new Set<FinalStatus>([
  ...(['confirmed', 'failed', 'rejected', 'withdrawn', 'cancelled'] as const),
]);

/** Whether the order has ended. */
export function isFinal({ status }: Pick<Order, 'status'>): boolean {
  return finalStatuses.has(status);
}

/** An order that waits for its payment. */
export type PayableOrder = Order & Required<Pick<Order, 'amount' | 'currency' | 'payBy' | 'paymentUrl'>>;

export interface OutcomeOptions {
  /** Ends the wait, which then throws the reason of the signal. The order goes on. */
  readonly signal?: AbortSignal;
  /** The longest wait, in ms. Default: no limit. */
  readonly timeoutMs?: number;
  /**
   * Called with the order as it is first, and after each change: also of its `queuePosition` and `estimatedWait` while it
   * is queued. What it throws ends the wait, and so does the rejection of a promise that it returns, which the wait does
   * not wait for.
   */
  readonly onUpdate?: (order: Order) => unknown;
  /**
   * Called once the order has to be paid: lead the buyer to its `paymentUrl`, until `payBy`. The wait goes on: the order
   * will be `confirmed`, or `failed` with the reason. It may throw or return a promise like `onUpdate`.
   */
  readonly onPayable?: (order: PayableOrder) => unknown;
}

export interface OutcomeDeps {
  /** Reads the order, without retries. `socketUrl` is where it can be watched. */
  readonly lookUp: (
    signal: AbortSignal,
  ) => Promise<{ readonly order: Order; readonly socketUrl: string | undefined }>;
  /** Undefined where there are no WebSockets. */
  readonly socket: SocketConstructor | undefined;
  readonly clock: Clock;
  readonly random: Random;
}

/** The pause between two polls, in ms. */
const pollMs = 2_000;
/** After a connection that worked, all clients of an instance return within this time, in ms. */
const reconnectMsMax = 1_000;
/** After so many connections in a row that did not work, only every tenth poll tries one. */
const deafMax = 3;

/** See `TicketClient.waitForOutcome`. */
export async function waitForOutcome(deps: OutcomeDeps, options: OutcomeOptions): Promise<Order> {
  const { signal, timeoutMs } = options;
  signal?.throwIfAborted();
  const ended = new AbortController();
  const abort = () => ended.abort(signal?.reason);
  signal?.addEventListener('abort', abort);
  const followed = new FollowedOrder(options, (error) => ended.abort(error));
  if (timeoutMs !== undefined) {
    void deps.clock
      .sleep(timeoutMs, ended.signal)
      .then(() => ended.abort(new OutcomeTimeoutError(timeoutMs, followed.order)));
  }
  try {
    return await follow(deps, followed, ended.signal);
  } finally {
    signal?.removeEventListener('abort', abort);
    ended.abort();
  }
}

async function follow(
  { lookUp, socket, clock, random }: OutcomeDeps,
  followed: FollowedOrder,
  signal: AbortSignal,
): Promise<Order> {
  let failures = 0;
  let deaf = 0;
  for (let poll = 0; ; poll++) {
    let waitMs: number;
    const found = await lookUp(signal).catch(asTicketError);
    if (found instanceof TicketError) {
      signal.throwIfAborted();
      if (endsWait(found, followed.order !== undefined)) throw found;
      failures++;
      waitMs = pauseMs(found, failures, random);
    } else {
      const { order, socketUrl } = found;
      failures = 0;
      waitMs = pollMs * (0.75 + random() / 2);
      if (
        !followed.take(order) &&
        socket !== undefined &&
        socketUrl !== undefined &&
        (deaf < deafMax || poll % 10 === 0)
      ) {
        const onMessage = (message: LiveMessage) => 'order' in message && followed.take(message.order);
        const hasHeard = await watch({ url: socketUrl, socket, clock, signal, onMessage });
        deaf = hasHeard ? 0 : deaf + 1;
        if (hasHeard) waitMs = reconnectMsMax * random();
      }
    }
    if (followed.order !== undefined && isFinal(followed.order)) return followed.order;
    signal.throwIfAborted();
    await clock.sleep(waitMs, signal);
    signal.throwIfAborted();
  }
}

function asTicketError(error: unknown): TicketError {
  if (error instanceof TicketError) return error;
  throw error;
}

/** The problems that only the server itself answers to a look-up, and that will stay. */
const finalCodes: ReadonlySet<string> = new Set<Problem['code']>(['unknown_order', 'invalid']);

/**
 * Whether a failed look-up ends the wait. Once the order was read, its address is right: only the server itself can say that
 * the order is gone. What a proxy answers in its place, such as a page with 404, says nothing of the order.
 */
function endsWait(error: TicketError, wasRead: boolean): boolean {
  if (error.isTemporary) return false;
  return !wasRead || (error instanceof ProblemError && finalCodes.has(error.code));
}

/** What is known of the order, and who is told of it. */
class FollowedOrder {
  readonly #options: Pick<OutcomeOptions, 'onUpdate' | 'onPayable'>;
  readonly #onRejection: (error: unknown) => void;
  #order: Order | undefined;
  #text = '';
  #paymentUrl: string | undefined;

  /** @param onRejection called with the error of a callback that is asynchronous. */
  constructor(
    options: Pick<OutcomeOptions, 'onUpdate' | 'onPayable'>,
    onRejection: (error: unknown) => void,
  ) {
    this.#options = options;
    this.#onRejection = onRejection;
  }

  get order(): Order | undefined {
    return this.#order;
  }

  /** Takes a state that is not older than the known one, and tells of it if it is another. Returns whether it is the end. */
  take(order: Order): boolean {
    const text = JSON.stringify(order);
    // Every change of an order makes its timeline longer. An answer and a message of the socket may overtake each other.
    const isOlder = order.timeline.length < (this.#order?.timeline.length ?? 0);
    if (!isOlder && text !== this.#text) {
      this.#order = order;
      this.#text = text;
      this.#listen(this.#options.onUpdate?.(order));
      if (isPayable(order) && order.paymentUrl !== this.#paymentUrl) {
        this.#paymentUrl = order.paymentUrl;
        this.#listen(this.#options.onPayable?.(order));
      }
    }
    return this.#order !== undefined && isFinal(this.#order);
  }

  /** Without a listener, a rejection would end a program in Node. */
  #listen(told: unknown): void {
    Promise.resolve(told).catch(this.#onRejection);
  }
}

function isPayable(order: Order): order is PayableOrder {
  return order.status === 'payable' && order.paymentUrl !== undefined;
}
