import type { Order } from '../../src/domain/order.ts';
import { orderSignature } from '../../src/http/order-access.ts';
import { type AdminFixture, startAdminFixture } from './admin-fixture.ts';
import { buy } from './api-client.ts';
import { type SupplierFault, startFaultySupplier } from './faulty-supplier.ts';
import { onSale, startServer, type TestServer } from './server.ts';

/** Servers with temporary stores that show every state of the pages at the same time. */
export interface PagesFixture extends AsyncDisposable {
  readonly origin: string;
  /** A server whose sale has not opened. */
  readonly notOpenOrigin: string;
  /** Private links to orders, by state. */
  readonly links: Readonly<Record<OrderScene, string>>;
  /** A server with the operators' pages, which starts on the first call. */
  admin(): Promise<AdminFixture>;
  /** Sells the last unit of the package with this id. */
  sellOut(packageId: number): Promise<void>;
}

export type OrderScene = 'queue' | 'pending' | 'payable' | 'confirmed' | 'failed' | 'cancelled';

const secret = 'the-stage-signs-its-cookies-with-this-secret';
const settings = { SECRET: secret, SUPPLIER_TIMEOUT_MS: '60000', LOG_LEVEL: 'silent' };

const packages = [
  onSale({ id: 1, flight: 'Flight-1', stay: '2022-08-09', quota: 1 }),
  onSale({ id: 2, flight: 'Flight-2', stay: '2022-08-09', quota: 2 }),
  onSale({ id: 3, flight: 'Flight-3', stay: '2022-08-10', quota: 2 }),
  onSale({ id: 4, flight: 'Flight-3', stay: '2022-08-11', quota: 2 }),
];

/** Just over two and a quarter hours, so that the countdown has hours, minutes and seconds. */
const opensInMs = 8_130_000;

export async function startPagesFixture(): Promise<PagesFixture> {
  await using started = new AsyncDisposableStack();
  const supplier = await startFaultySupplier({
    fault: ({ kind, body }) => faultOf(kind, String(body.email)),
  });
  started.defer(() => supplier.stop());
  const server = await startServer({ settings: { ...settings, SUPPLIERS_URL: supplier.url }, packages });
  started.defer(() => server.stop());
  const opensAt = Date.now() + opensInMs;
  const notOpen = await startServer({ settings, packages: packages.map((one) => ({ ...one, opensAt })) });
  started.defer(() => notOpen.stop());
  const paying = await startServer({
    settings: {
      SECRET: secret,
      LOG_LEVEL: 'silent',
      PAYMENTS: 'simulated',
      FLIGHT_FAILURE_RATE: '0',
      PAYMENT_WINDOW: '3600000',
    },
    packages,
  });
  started.defer(() => paying.stop());
  const links = { ...(await sellSome(server)), payable: await sellToPay(paying) };
  const all = started.move();
  let admin: Promise<AdminFixture> | undefined;
  return {
    admin: () => {
      admin ??= startAdminFixture().then((stage) => all.use(stage));
      return admin;
    },
    origin: server.origin,
    notOpenOrigin: notOpen.origin,
    links,
    sellOut: async (packageId) => {
      await buy(server.origin, packageId, { email: 'eva@example.com' });
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

/** The email decides the suppliers' answer: flights of `slow-flight@…` never get an answer. */
function faultOf(kind: string, email: string): SupplierFault {
  if (email.startsWith('no-seat') && kind === 'flights') return { effect: 'refuse' };
  const isSlow = email.startsWith(kind === 'flights' ? 'slow-flight' : 'slow-hotel');
  return isSlow ? { effect: 'none', answer: 'hang' } : {};
}

const linkOf = (origin: string, { id }: Pick<Order, 'id'>) =>
  `${origin}/orders/${id}?proof=${orderSignature(secret, id)}`;

/** Makes an order that is not paid. Returns its private link. */
async function sellToPay({ origin }: TestServer): Promise<string> {
  const { order } = await buy(origin, 2, { email: 'ana@example.com' });
  if (order?.status !== 'payable') throw new Error(`the order is ${order?.status}, not payable`);
  return linkOf(origin, order);
}

async function sellSome({ origin, engine }: TestServer): Promise<Omit<PagesFixture['links'], 'payable'>> {
  const order = async (packageId: number, email: string, status: Order['status']): Promise<Order> => {
    const { order: sent } = await buy(origin, packageId, { email, prefer: 'respond-async' });
    for (;;) {
      const found = await engine.order(sent?.id ?? '');
      if (found?.status === status) return found;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const link = (made: Order) => linkOf(origin, made);
  const confirmed = await order(2, 'ana@example.com', 'confirmed');
  await order(2, 'slow-flight@example.com', 'held');
  await order(2, 'ben@example.com', 'queued');
  const queued = await order(2, 'cleo@example.com', 'queued');
  const failed = await order(3, 'no-seat@example.com', 'failed');
  const toCancel = await order(3, 'dan@example.com', 'confirmed');
  await engine.cancel(toCancel);
  const cancelled = await engine.outcome(toCancel, { waitMs: 5_000 });
  const pending = await order(4, 'slow-hotel@example.com', 'held');
  return {
    queue: link(queued),
    pending: link(pending),
    confirmed: link(confirmed),
    failed: link(failed),
    cancelled: link(cancelled),
  };
}
