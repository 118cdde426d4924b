import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, OrderAccess } from './client.ts';

export interface DrainOptions {
  readonly client: Client;
  /** The orders whose final status no client has seen. */
  readonly unfinished: () => readonly OrderAccess[];
  readonly timeoutMs: number;
  readonly stop: AbortSignal;
}

export interface Drained {
  readonly tookMs: number;
  /** The unfinished orders and other work in progress, as text; empty when all is final. */
  readonly left: readonly string[];
}

const everyMs = 500;
/** The number of concurrent look-ups. */
const atOnce = 40;
/**
 * After this time a payable order is paid again, whose owner may have missed the event of its payment. The provider then
 * sends it again, which is sooner than the owner looks by itself.
 */
const payAgainMs = 5_000;

/**
 * Waits until every instance shows that nothing is in progress. Call it after all faults are healed and all buyers have
 * left. Pays for orders that are payable, because otherwise the whole queue of a package would have to expire.
 */
export async function drain(options: DrainOptions): Promise<Drained> {
  const { timeoutMs, stop } = options;
  const startedAt = performance.now();
  const paid = new Map<string, number>();
  for (;;) {
    const left = await whatIsLeft(options, paid);
    const tookMs = performance.now() - startedAt;
    if (left.length === 0 || tookMs > timeoutMs || stop.aborted) return { tookMs, left };
    await sleep(everyMs);
  }
}

async function whatIsLeft({ client, unfinished }: DrainOptions, paid: Paid): Promise<string[]> {
  const shown = await Promise.all(
    Array.from({ length: client.instances }, async (_, instance) => {
      const packages = await client.packages(instance);
      if (packages === undefined) return [`instance-${instance + 1} does not show its packages`];
      return packages
        .filter(({ held, waiting }) => held + waiting > 0)
        .map(
          ({ id, quota, remaining, held, confirmed, waiting }) =>
            `instance-${instance + 1} shows package ${id} with ${held} held and ${waiting} waiting ` +
            `(quota ${quota}, ${remaining} remaining, ${confirmed} confirmed)`,
        );
    }),
  );
  await lookUpAll(client, unfinished(), { paid });
  const orders = unfinished().map(({ orderId }) => `order ${orderId} has not ended`);
  return [...shown.flat(), ...orders];
}

/** When orders were paid, in ms on the clock of `performance`. */
type Paid = Map<string, number>;

interface LookUpOptions {
  /** Default: all instances in turn. */
  readonly instance?: number;
  /** The orders that were paid. Those that are payable are paid and added, again after a while. Default: none is paid. */
  readonly paid?: Paid;
}

/** Looks all orders up. */
export async function lookUpAll(
  client: Client,
  orders: readonly OrderAccess[],
  { instance, paid }: LookUpOptions = {},
): Promise<void> {
  let next = 0;
  const look = async (): Promise<void> => {
    while (next < orders.length) {
      const at = next++;
      const access = orders[at] as OrderAccess;
      const { order } = await client.lookUp(instance ?? at % client.instances, access);
      if (order?.paymentUrl === undefined || paid === undefined) continue;
      const now = performance.now();
      if (now - (paid.get(order.id) ?? Number.NEGATIVE_INFINITY) < payAgainMs) continue;
      paid.set(order.id, now);
      await client.act('pay', { orderId: order.id, paymentUrl: order.paymentUrl });
    }
  };
  await Promise.all(Array.from({ length: atOnce }, look));
}
