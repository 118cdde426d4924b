/**
 * The ceiling: reads and checks the body of a purchase, answers 201 with a small JSON, and does nothing else. No server
 * on this stack (Node's HTTP, @hono/node-server, Hono) can answer purchases faster, so the difference is the cost of
 * booking.
 *
 * It is tuned: one route without middleware, a hand-written check instead of a schema, and answers that node-server
 * writes without a stream.
 */
import { orderRoute } from './order-route.ts';
import { runBaseline } from './program.ts';

await runBaseline(async () => ({
  listener: orderRoute(
    ({ packageId, email }) => ({ packageId, email, status: 'confirmed' }),
    () => ({ verdict: 'none', detail: 'keeps nothing' }),
  ),
  async [Symbol.asyncDispose]() {},
}));
