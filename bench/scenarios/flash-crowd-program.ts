import { Connection, type Listener } from '../client/connection.ts';
import { answerName, LoadCounts } from '../client/load-counts.ts';
import { waitUntil } from '../client/measured-window.ts';
import { requestMaker, UniqueNames } from '../client/requests.ts';
import type { CrowdParams, CrowdResult } from './flash-crowd.ts';

/** Connections that are opened at the same time: more would overflow the server's backlog. */
const openedAtOnce = 200;
const promptMs = 100;

/**
 * Connects all buyers, sends all purchases at one instant, and waits for the last answer. Latencies count from that
 * instant.
 */
async function crowd({ origin, packageId, buyers, timeoutMs }: CrowdParams): Promise<CrowdResult> {
  const url = new URL(origin);
  const make = requestMaker(url, { kind: 'buy', packages: [packageId] }, new UniqueNames());
  const requests = Array.from({ length: buyers }, make);
  const counts = new LoadCounts();
  let [opened, answered, refused, promptlyRefused] = [0, 0, 0, 0];
  let lastAnswerAt = 0;
  let instant = Number.NaN;
  const listener: Listener = {
    opened() {
      opened += 1;
    },
    answered(connection, status, body) {
      lastAnswerAt = performance.now();
      const took = lastAnswerAt - instant;
      counts.answered(answerName(status, body), took);
      if (status === 409 && isRefusal(body)) {
        refused += 1;
        if (took <= promptMs) promptlyRefused += 1;
      }
      answered += 1;
      connection.end();
    },
    closed() {
      counts.errors += 1;
    },
  };
  const connections: Connection[] = [];
  while (connections.length < buyers) {
    const count = Math.min(openedAtOnce, buyers - connections.length);
    for (let one = 0; one < count; one++) connections.push(new Connection(url, 0, listener));
    await waitUntil(() => opened + counts.errors === connections.length, timeoutMs);
  }
  if (opened < buyers) throw new Error(`only ${opened} of ${buyers} buyers could connect`);

  const cpuBefore = process.cpuUsage();
  instant = performance.now();
  for (const [index, connection] of connections.entries()) connection.send(requests[index] as string);
  const allSentMs = performance.now() - instant;
  await waitUntil(() => answered + counts.errors === buyers, timeoutMs);
  const { user, system } = process.cpuUsage(cpuBefore);
  const seconds = (performance.now() - instant) / 1000;
  return {
    load: counts.result(seconds, (user + system) / 1e6 / seconds),
    allSentMs,
    allAnsweredMs: lastAnswerAt - instant,
    refused,
    promptlyRefused,
    lost: buyers - answered,
  };
}

/**
 * Whether the purchase was refused without a stored order. Otherwise the order had waited in the queue until the
 * package sold out.
 */
function isRefusal(body: Buffer): boolean {
  return !body.includes('"order":');
}

process.once('message', (params: CrowdParams) => {
  crowd(params).then(
    (result) => process.send?.(result, () => process.exit(0)),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit());
