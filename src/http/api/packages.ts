import { Hono } from 'hono';
import type { BookingEngine } from '../../ports/booking-engine.ts';
import { packageIdFrom } from '../inputs.ts';
import { sendJson } from '../json.ts';
import { allowOnly } from '../methods.ts';
import { problem } from '../problem.ts';
import { packageView } from '../views.ts';

/** `GET /api/packages` and `GET /api/packages/:id`: what is on sale, with live figures. */
export function packageRoutes({ engine }: { readonly engine: BookingEngine }): Hono {
  return new Hono()
    .get('/', async () => sendJson(200, { packages: (await engine.packages()).map(packageView) }))
    .all('/', allowOnly('GET'))
    .get('/:id', async (c) => {
      const id = packageIdFrom(c.req.param('id'));
      const snapshot = id === undefined ? undefined : await engine.package(id);
      return snapshot ? sendJson(200, packageView(snapshot)) : problem(c, 'unknown_package');
    })
    .all('/:id', allowOnly('GET'));
}
