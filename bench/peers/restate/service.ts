/**
 * The peer's program beside the Restate server: the handlers that Restate calls, and the product's route in front of
 * Restate's ingress, so that all contestants get the same requests. `RESTATE_INGRESS` and `RESTATE_ADMIN` are the
 * server's addresses. Restate stores the finished order of a purchase under its idempotency key.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createEndpointHandler } from '@restatedev/restate-sdk';
import { Pool } from 'undici';
import { type Audit, orderRoute, type Purchase } from '../../baselines/order-route.ts';
import { type Offer, runBaseline } from '../../baselines/program.ts';
import { travelPackages } from './saga.ts';

const { RESTATE_INGRESS = '', RESTATE_ADMIN = '' } = process.env;

await runBaseline(async (offers) => {
  const endpoint = createServer(createEndpointHandler({ services: [travelPackages] }));
  endpoint.listen(0, '127.0.0.1');
  await once(endpoint, 'listening');
  const ingress = new Pool(RESTATE_INGRESS);
  await register(`http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`);
  const packages = new Map(offers.map(({ id, quota }) => [id, quota]));
  await openSale(ingress, offers);
  return {
    listener: orderRoute(
      (purchase) => (packages.has(purchase.packageId) ? sell(ingress, purchase) : 'unknown_package'),
      () => audit(ingress, offers),
    ),
    async [Symbol.asyncDispose]() {
      await ingress.destroy();
      // Exits explicitly, because Restate does not close its connections.
      process.exit(0);
    },
  };
});

async function register(uri: string): Promise<void> {
  const answer = await fetch(`${RESTATE_ADMIN}/deployments`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ uri }),
  });
  if (!answer.ok) throw new Error(`Restate did not take the deployment: ${await answer.text()}`);
}

async function openSale(ingress: Pool, offers: readonly Offer[]): Promise<void> {
  const waiting = [...offers];
  const open = async () => {
    for (let offer = waiting.pop(); offer !== undefined; offer = waiting.pop()) {
      await call(ingress, handlerPath(offer.id, 'open'), { quota: offer.quota });
    }
  };
  await Promise.all(Array.from({ length: 32 }, open));
}

async function sell(ingress: Pool, purchase: Purchase): Promise<object | 'sold_out'> {
  const { packageId, email, key = randomUUID() } = purchase;
  const order = await call(
    ingress,
    handlerPath(packageId, 'buy'),
    { packageId, email },
    { 'idempotency-key': key },
  );
  return order === undefined ? 'sold_out' : (order as object);
}

function handlerPath(packageId: number, handler: 'open' | 'remaining' | 'buy'): string {
  return `/${travelPackages.name}/${packageId}/${handler}`;
}

/** The handler's result; undefined if it refused. */
async function call(
  ingress: Pool,
  path: string,
  input?: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  const { statusCode, body } = await ingress.request({
    method: 'POST',
    path,
    ...(input === undefined
      ? { headers }
      : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(input) }),
  });
  const text = await body.text();
  if (statusCode === 409) return undefined;
  if (statusCode >= 300) throw new Error(`Restate answered ${statusCode}: ${text}`);
  return text === '' ? null : JSON.parse(text);
}

/** Compares the remaining units with the successful purchases that Restate has stored. */
async function audit(ingress: Pool, offers: readonly Offer[]): Promise<Audit> {
  const quota = offers.reduce((sum, offer) => sum + offer.quota, 0);
  let remaining = 0;
  for (const { id } of offers) {
    const left = Number(await call(ingress, handlerPath(id, 'remaining')));
    if (left < 0) return { verdict: 'void', detail: `package ${id}: ${left} remaining` };
    remaining += left;
  }
  const sold = await keptOrders();
  const figures = `${remaining} remaining + ${sold} orders`;
  return remaining + sold === quota
    ? { verdict: 'clean', detail: `${figures} = quota` }
    : { verdict: 'void', detail: `${figures} ≠ quota ${quota}` };
}

async function keptOrders(): Promise<number> {
  const query = `SELECT count(*) AS orders FROM sys_invocation WHERE target_service_name = '${travelPackages.name}'
    AND target_handler_name = 'buy' AND status = 'completed' AND completion_result = 'success'`;
  const answer = await fetch(`${RESTATE_ADMIN}/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ query }),
  });
  if (!answer.ok) throw new Error(`Restate's query failed: ${await answer.text()}`);
  const { rows } = (await answer.json()) as { rows: readonly { readonly orders: number }[] };
  return rows[0]?.orders ?? 0;
}
