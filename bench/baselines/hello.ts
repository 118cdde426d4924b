/**
 * The ceiling: reads and checks the body of a purchase and answers 201 with a small JSON, and does nothing else. No
 * server on this stack (Node's HTTP, @hono/node-server, Hono) can take purchases faster, so the distance to it is
 * what all of the booking costs.
 *
 * It is as fast as we could make it: one route without middleware, a check by hand instead of a schema, and answers
 * made in the way that node-server writes without a stream.
 */
import { orderRoute } from './order-route.ts';
import { runBaseline } from './program.ts';

await runBaseline(async () => ({
  app: orderRoute(
    ({ packageId, email }) => ({ packageId, email, status: 'confirmed' }),
    () => ({ verdict: 'none', detail: 'keeps nothing' }),
  ),
  async [Symbol.asyncDispose]() {},
}));
