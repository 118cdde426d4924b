import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Hono } from 'hono';
import { paymentProviderRoutes } from '../../src/http/api/payment-provider.ts';
import { createServer } from '../../src/http/server/server.ts';
import { systemClock } from '../../src/lib/clock.ts';
import { systemRandom } from '../../src/lib/random.ts';
import { silentLog } from '../../src/observability/log.ts';
import { SimulatedPayments } from '../../src/suppliers/simulated-payments.ts';
import type { PaymentProvider } from '../../src/suppliers/suppliers.ts';
import { memoryPayments } from './memory-payments.ts';

export interface PaymentServer {
  /** The value for `PAYMENTS`. */
  readonly url: string;
  readonly provider: PaymentProvider;
  /** Calls for which this is true get 500 and have no effect. */
  fails: (method: string, path: string) => boolean;
  /** Look-ups for which this is true get 404, as if there were no such payment. */
  forgets: (path: string) => boolean;
  /** The calls so far, such as `GET /api/payments/A`. */
  readonly calls: readonly string[];
  stop(): Promise<void>;
}

/** Starts a payment provider over HTTP that sends no events. */
export async function startPaymentServer(): Promise<PaymentServer> {
  const calls: string[] = [];
  const options = { ledger: memoryPayments(), random: systemRandom(), clock: systemClock, log: silentLog };
  const provider = new SimulatedPayments({ ...options, payRate: 0, declineRate: 0, latencyMs: 0 });
  const app = new Hono();
  app.use(async (c, next) => {
    calls.push(`${c.req.method} ${c.req.path}`);
    if (running.fails(c.req.method, c.req.path)) return c.json({}, 500);
    if (c.req.method === 'GET' && running.forgets(c.req.path)) return c.json({}, 404);
    await next();
    return undefined;
  });
  app.route('/api/payments', paymentProviderRoutes({ provider }));
  const server = createServer(app, silentLog).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const running: PaymentServer = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api`,
    provider,
    fails: () => false,
    forgets: () => false,
    calls,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
  return running;
}
