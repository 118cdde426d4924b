import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Prng } from '../simulation/prng.ts';
import { clientsNow } from './clock.ts';
import { type EventRelay, startEventRelay } from './event-relay.ts';
import type { EventEntry } from './history.ts';

const body = JSON.stringify({ type: 'payment.due', data: { key: 'A', status: 'due', amount: 7 } });
const headers = {
  ...{ 'content-type': 'application/json', 'webhook-id': 'msg_1' },
  ...{ 'webhook-timestamp': '1', 'webhook-signature': 'v1,signed' },
};

let instance: Server;
let relay: EventRelay;
let entries: EventEntry[];
/** The bodies and signatures that arrived. */
let arrived: [string, string | undefined][];

beforeEach(async () => {
  [entries, arrived] = [[], []];
  instance = createServer(async (request, response) => {
    arrived.push([await text(request), request.headers['webhook-signature'] as string]);
    response.writeHead(204).end();
  }).listen(0, '127.0.0.1');
  await once(instance, 'listening');
  relay = await startEventRelay({
    ...{ prng: new Prng(1), now: clientsNow },
    write: (entry) => entries.push(entry),
  });
});
afterEach(async () => {
  await relay.end();
  instance.closeAllConnections();
  instance.close();
});

const send = () => fetch(relay.url, { method: 'POST', headers, body });
const count = (treatment: string) => entries.filter((each) => each.treatment === treatment).length;

it('passes most events on unchanged, and loses, repeats, delays and forges the others', async () => {
  relay.origins = [`http://127.0.0.1:${(instance.address() as AddressInfo).port}`];
  for (let sent = 0; sent < 200; sent++) expect((await send()).status).toBe(204);
  const isWhole = ([content]: (typeof arrived)[number]) => content === body;
  await expect.poll(() => count('passed')).toBeGreaterThan(100);
  await expect.poll(() => count('repeated') / 3).toBeGreaterThan(3);
  await expect.poll(() => count('late'), { timeout: 20_000 }).toBeGreaterThan(1);
  expect(count('lost')).toBeGreaterThan(5);
  expect(count('forged')).toBeGreaterThan(2);
  expect(arrived.filter((each) => !isWhole(each)).length).toBe(count('forged'));
  expect(arrived.every(([, signature]) => signature === 'v1,signed')).toBe(true);
  expect(entries.every(({ orderId }) => orderId === 'A')).toBe(true);
});

it('passes all events on unchanged once it is healed', async () => {
  relay.origins = [`http://127.0.0.1:${(instance.address() as AddressInfo).port}`];
  relay.heal();
  for (let sent = 0; sent < 50; sent++) await send();
  await expect.poll(() => count('passed')).toBe(50);
  expect(arrived.every(([content]) => content === body)).toBe(true);
});

it('accepts events before there is an instance, and writes nothing once it has ended', async () => {
  expect((await send()).status).toBe(204);
  await expect.poll(() => entries).toMatchObject([{ treatment: 'lost', orderId: 'A' }]);
  await relay.end();
  await expect(send()).rejects.toThrow();
  expect(entries).toHaveLength(1);
});
