import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, Ticket } from './client.ts';

export interface DrainOptions {
  readonly client: Client;
  /** The orders that no client has seen at an end. */
  readonly unfinished: () => readonly Ticket[];
  readonly patienceMs: number;
  readonly stop: AbortSignal;
}

export interface Drained {
  readonly tookMs: number;
  /** What has not come to its end; empty when all has. */
  readonly left: readonly string[];
}

const everyMs = 500;
/** Look-ups at the same time. */
const atOnce = 40;

/** With everything whole again and nobody buying: waits until every instance shows that nothing is under way any more. */
export async function drain(options: DrainOptions): Promise<Drained> {
  const { patienceMs, stop } = options;
  const startedAt = performance.now();
  for (;;) {
    const left = await whatIsLeft(options);
    const tookMs = performance.now() - startedAt;
    if (left.length === 0 || tookMs > patienceMs || stop.aborted) return { tookMs, left };
    await sleep(everyMs);
  }
}

async function whatIsLeft({ client, unfinished }: DrainOptions): Promise<string[]> {
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
  await lookUpAll(client, unfinished());
  const orders = unfinished().map(({ orderId }) => `order ${orderId} has not ended`);
  return [...shown.flat(), ...orders];
}

/** All at this instance; by default the instances take turns. */
export async function lookUpAll(
  client: Client,
  tickets: readonly Ticket[],
  instance?: number,
): Promise<void> {
  let next = 0;
  const look = async (): Promise<void> => {
    while (next < tickets.length) {
      const at = next++;
      await client.lookUp(instance ?? at % client.instances, tickets[at] as Ticket);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, look));
}
