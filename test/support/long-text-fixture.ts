import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { PackageStatus } from '../../src/admin/package-service.ts';
import type { Order, OrderReason, OrderStatus, TimelineEvent } from '../../src/domain/order.ts';
import { orderIdBytes, orderIdFrom } from '../../src/domain/order.ts';
import { orderSignature } from '../../src/http/order-access.ts';
import { createServer } from '../../src/http/server/server.ts';
import { silentLog } from '../../src/observability/log.ts';
import { fakeAdmin, fakeInstance, fakeOperator, fakeStatus } from './fake-admin.ts';
import { fakeApp } from './fake-app.ts';
import { fakeNow, fakeOrder, fakePackages } from './fake-engine.ts';

/** Flight names: ordinary, long, long without a space, and in other scripts. */
export const longFlightNames = [
  'BA 117 London – New York',
  'The very long morning flight from Thiruvananthapuram by way of Ouagadougou1',
  'TheVeryLongMorningFlightFromThiruvananthapuramByWayOfOuagadougouAndBackHome',
  'Donaudampfschifffahrtsgesellschaft, Flug München – Köln über Österreich',
  'رحلة مصر للطيران ٩٨٦ من القاهرة إلى الدار البيضاء',
] as const;

/**
 * Serves every page with the longest texts and the greatest inventory. There is no store and no sale: each state is
 * only shown.
 */
export interface LongTextFixture extends AsyncDisposable {
  readonly origin: string;
  /** The operators' token. */
  readonly token: string;
  /** Private links to orders, by state. */
  readonly orders: Readonly<Record<string, string>>;
  /** Id of the order of the last link. */
  readonly orderId: string;
}

const secret = 's'.repeat(32);
const quota = 250_000;
const email = 'maximiliana.featherstonehaugh-cholmondeley@a-long-company-name.example.com';

const statuses: readonly OrderStatus[] = [
  ...(['queued', 'held', 'payable', 'compensating', 'confirmed', 'cancelling'] as const),
  ...(['failed', 'rejected', 'withdrawn', 'cancelled'] as const),
];

const payment = {
  ...{ amount: 123_456_700, currency: 'USD', url: 'https://pay.example/1' },
  payBy: fakeNow + 8_130_000,
};

const timeline: readonly TimelineEvent[] = ['queued', 'claimed', 'flight reserved', 'hotel unknown'];

export async function startLongTextFixture(): Promise<LongTextFixture> {
  const packages = Array.from({ length: 40 }, (_, index) => packageOf(index));
  const orders = longFlightNames.flatMap((flight, index) =>
    statuses.map((status, row) => orderOf(flight, status, index * 16 + row)),
  );
  const byId = new Map(orders.map((order) => [order.id, order]));
  const app = fakeApp({
    settings: { secret },
    engine: {
      ...fakePackages(packages),
      order: async (id) => byId.get(id),
      queuePosition: () => 12_345,
      estimatedWait: () => ({ minSeconds: 45, maxSeconds: 120 }),
      purchase: async () => ({ kind: 'refused', code: 'sold_out' }),
    },
    service: fakeAdmin({
      packages,
      instances: [fakeInstance('instance-1'), fakeInstance('a-long-instance-name-of-a-pod-7f9c6d5b4-xk2lq')],
      orders: orders.map((order) => ({ order, since: fakeNow - 95_000, health: 'stuck' })),
      changes: orders.slice(0, 5).map(({ id, packageId }, index) => ({
        ...{ id: `${index}`, at: fakeNow, by: fakeOperator, instance: 'instance-1', action: 'package.amend' },
        ...{ target: { packageId, orderId: id }, outcome: 'done', endedAt: fakeNow },
        ...{
          before: { quota: 100_000, flight: longFlightNames[0] },
          after: { quota, flight: longFlightNames[2] },
        },
      })),
    }),
  });
  const server = createServer(app, silentLog);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const link = ({ id }: Order) => `${origin}/orders/${id}?proof=${orderSignature(secret, id)}`;
  return {
    origin,
    token: 'open-sesame',
    orders: Object.fromEntries(
      orders.map((order, index) => [
        `${order.status}, name ${Math.floor(index / statuses.length)}`,
        link(order),
      ]),
    ),
    orderId: orders.at(-1)?.id ?? '',
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One of forty packages. There are eight nights of each flight, and all states of a sale occur. */
function packageOf(index: number): PackageStatus {
  const held = index % 4 === 1 ? quota : 123_456;
  const isSoldOut = index % 8 === 7;
  const confirmed = isSoldOut ? quota : index % 4 === 1 ? 0 : 100_000;
  return fakeStatus(
    {
      id: 1000 + index,
      flight: longFlightNames[Math.floor(index / 8)] as string,
      stay: `2026-09-${String((index % 8) + 20).padStart(2, '0')}`,
      price: 1_234_567 + index,
      quota,
      ...(index % 8 === 5 ? { opensAt: fakeNow + 8_130_000 } : {}),
      ...(index % 8 === 6 ? { paused: true } : {}),
    },
    {
      ...{ held: isSoldOut ? 0 : held, confirmed },
      ...{ remaining: isSoldOut ? 0 : quota - held - confirmed, waiting: index % 4 === 1 ? 123_456 : 0 },
    },
  );
}

function orderOf(flight: string, status: OrderStatus, count: number): Order {
  const random = new Uint8Array(orderIdBytes).fill(255);
  random[orderIdBytes - 1] = count;
  const reasons: Partial<Record<OrderStatus, OrderReason>> = {
    failed: 'hotel_unavailable',
    compensating: 'invalid_ticket',
    rejected: 'sold_out',
  };
  const reason = reasons[status];
  return fakeOrder({
    ...{ id: orderIdFrom(-1, random), packageId: 1000, status, email },
    package: { flight, stay: '2026-09-20', price: 1_234_567 },
    timeline: timeline.map((event, step) => ({ at: fakeNow + step * 1000, event })),
    ...(reason === undefined ? {} : { reason }),
    ...(status === 'payable' ? { payment } : {}),
    ...(status === 'confirmed' ? { flight: { ticketNumber: 'F00083920123456789' } } : {}),
    ...(status === 'confirmed' ? { hotel: { reservationNumber: 'H00083920123456789' } } : {}),
  });
}
