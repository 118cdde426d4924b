import { afterEach, beforeEach, expect, it } from 'vitest';
import { buy, lookUp } from '../support/api-client.ts';
import { waitUntil } from '../support/buyers.ts';
import { type Cluster, type ClusterInstance, startCluster } from '../support/cluster.ts';
import { type FaultySupplier, startFaultySupplier } from '../support/faulty-supplier.ts';
import { onSale } from '../support/server.ts';

const token = 'the-admin-token-of-this-cluster';

let suppliers: FaultySupplier;
let cluster: Cluster;

beforeEach(async () => {
  suppliers = await startFaultySupplier({
    // The first call for this buyer's flight is lost, and the server would wait a minute for it.
    fault: ({ kind, operation, nth, body }) => {
      const isFirst = kind === 'flights' && operation === 'reserve' && nth === 1;
      return isFirst && body.email === 'stuck@example.com' ? { effect: 'none', answer: 'hang' } : {};
    },
  });
  cluster = await startCluster({
    instances: 2,
    packages: [onSale({ id: 1, quota: 5 })],
    suppliersUrl: suppliers.url,
    settings: { ADMIN_TOKEN: token, SUPPLIER_TIMEOUT_MS: '60000', RATE_LIMIT: 'off', LEASE_TTL_MS: '2000' },
  });
});
afterEach(async () => {
  await cluster?.end();
  await suppliers.stop();
});

async function admin(at: ClusterInstance, method: string, path: string, body?: object) {
  const response = await fetch(`${at.origin}/api/admin${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  // biome-ignore lint/suspicious/noExplicitAny: what is expected of it is said where it is used.
  return { status: response.status, body: (await response.json()) as any };
}

async function ownerOf(packageId: number): Promise<readonly [ClusterInstance, ClusterInstance]> {
  const [one, two] = cluster.instances as [ClusterInstance, ClusterInstance];
  const owner = await cluster.ownerOf(packageId);
  return owner === two ? [two, one] : [one, two];
}

it('an operator can do everything at an instance that is not the owner, including draining the owner', async () => {
  const [first, second] = cluster.instances as [ClusterInstance, ClusterInstance];

  const wish = { flight: 'Flight-9', stay: '2030-01-01', price: 100, quota: 2 };
  const created = await admin(first, 'POST', '/packages', wish);
  expect(created).toMatchObject({ status: 201, body: { id: 2, ...wish, version: 1 } });
  await waitUntil('the package at the other', 2_000, async () => {
    const { packages } = (await (await fetch(`${second.origin}/api/packages`)).json()) as {
      packages: { id: number }[];
    };
    return packages.some(({ id }) => id === 2);
  });

  const bought = await buy(first.origin, 2, { email: 'ana@example.com' });
  expect(bought).toMatchObject({ status: 201, order: { package: { price: 100 } } });
  const [owner, other] = await ownerOf(2);

  // Every instance shows the owner and its activity.
  await waitUntil('the same picture', 5_000, async () => {
    const { body } = await admin(other, 'GET', '/packages/2');
    return body.owner?.state === 'active' && body.activity?.recent.purchasesPerS > 0;
  });
  expect((await admin(other, 'GET', '/packages/2')).body.owner.instance).toBe(owner.id);
  const { body: running } = await admin(other, 'GET', '/instances');
  expect(running.instances).toMatchObject([
    { id: 'instance-1', state: 'ready', isThis: other.id === 'instance-1' },
    { id: 'instance-2', state: 'ready', isThis: other.id === 'instance-2' },
  ]);

  expect(await admin(other, 'PATCH', '/packages/2', { version: 1, quota: 0 })).toMatchObject({
    status: 422,
    body: { code: 'quota_too_low' },
  });
  expect(await admin(other, 'PATCH', '/packages/2', { version: 1, quota: 3, price: 80 })).toMatchObject({
    status: 200,
    body: { quota: 3, price: 80, version: 2 },
  });
  expect(await admin(owner, 'PATCH', '/packages/2', { version: 1, quota: 9 })).toMatchObject({ status: 409 });

  expect((await admin(other, 'POST', '/packages/2/pause')).body).toMatchObject({ paused: true });
  for (const at of [owner, other]) {
    await waitUntil('the pause', 2_000, async () => (await buy(at.origin, 2)).code === 'paused');
  }
  expect((await admin(other, 'POST', '/packages/2/resume')).status).toBe(200);

  await waitUntil('the end of the pause', 2_000, async () => {
    const { status } = await buy(other.origin, 2, {
      email: 'stuck@example.com',
      key: 'stuck',
      prefer: 'respond-async',
    });
    return status === 202;
  });
  const stuck = (await admin(other, 'GET', '/orders?status=held&package=2')).body.orders[0];
  expect(stuck).toMatchObject({ email: 'stuck@example.com', package: { price: 80 } });
  await waitUntil('slow', 10_000, async () => {
    const { body } = await admin(other, 'GET', '/orders?stuck=true');
    return body.orders[0]?.id === stuck.id && body.orders[0]?.concern === 'slow';
  });
  expect((await admin(other, 'POST', `/orders/${stuck.id}/retry`)).status).toBe(200);
  await waitUntil('its booking', 5_000, async () => {
    return (await admin(other, 'GET', `/orders/${stuck.id}`)).body.status === 'confirmed';
  });

  expect((await admin(other, 'POST', '/erase', { email: 'ana@example.com' })).body).toEqual({
    erased: 1,
    left: 0,
  });
  const { status } = await lookUp(owner.origin, bought.order?.id as string, 'ana@example.com');
  expect(status).toBe(404);

  expect(await admin(other, 'POST', `/instances/${owner.id}/drain`)).toMatchObject({ status: 202 });
  expect(await owner.ended).toBe(0);
  await waitUntil('its leaving', 5_000, async () => {
    const { body } = await admin(other, 'GET', '/instances');
    return body.instances.length === 1;
  });
  expect(await admin(other, 'POST', `/instances/${owner.id}/drain`)).toMatchObject({
    status: 404,
    body: { code: 'unknown_instance' },
  });
  expect(await buy(other.origin, 2, { key: 'after' })).toMatchObject({ status: 201 });
  expect((await admin(other, 'GET', '/packages/2')).body.owner).toMatchObject({ instance: other.id });
  expect(await admin(other, 'POST', `/orders/${stuck.id}/cancel`)).toMatchObject({ status: 200 });
  await waitUntil('its cancel', 5_000, async () => {
    return (await admin(other, 'GET', `/orders/${stuck.id}`)).body.status === 'cancelled';
  });

  expect(await admin(other, 'GET', '/audit')).toMatchObject({
    status: 200,
    body: { ok: true, suppliersRead: true, orders: 3, findings: [] },
  });
  const { body: log } = await admin(other, 'GET', '/changes?limit=200');
  const said = log.changes.map((change: Record<string, unknown>) => `${change.action} ${change.outcome}`);
  expect(said).toEqual([
    'order.cancel done',
    'instance.drain refused',
    'instance.drain done',
    'email.erase done',
    'order.retry done',
    'package.resume done',
    'package.pause done',
    'package.amend refused',
    'package.amend done',
    'package.amend refused',
    'package.create done',
  ]);
  expect(JSON.stringify(log)).not.toContain('@');
});
