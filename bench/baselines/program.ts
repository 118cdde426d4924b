import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import type { Hono } from 'hono';

/** What a baseline sells. */
export interface Offer {
  readonly id: number;
  readonly quota: number;
}

/** A server to compare with: what it serves, and what it leaves behind. */
export interface Baseline extends AsyncDisposable {
  readonly app: Hono;
}

/**
 * Runs a baseline as a program of its own: `PORT` and `HOST` say where it listens (a free port of the loopback),
 * `--packages FILE` what it sells, as `npm run db:init -- --file` has it. Prints `listens on http://…` once it is
 * ready, and ends on SIGTERM when the requests under way have been answered.
 */
export async function runBaseline(open: (offers: readonly Offer[]) => Promise<Baseline>): Promise<void> {
  const { values } = parseArgs({ options: { packages: { type: 'string' } } });
  if (values.packages === undefined) throw new Error('--packages FILE says what is on sale');
  const baseline = await open(await readOffers(values.packages));
  const { PORT = '0', HOST = '127.0.0.1' } = process.env;
  // The same server, made in the same way, as the product's.
  const listener = getRequestListener(baseline.app.fetch);
  const server = createServer({ keepAliveTimeout: 20_000 }, (incoming, outgoing) => {
    void listener(incoming, outgoing);
  });
  process.once('SIGTERM', () => {
    server.close(() => void baseline[Symbol.asyncDispose]());
    server.closeIdleConnections();
  });
  server.listen(Number(PORT), HOST);
  await once(server, 'listening');
  console.log(`listens on http://${HOST}:${(server.address() as AddressInfo).port}`);
}

async function readOffers(file: string): Promise<readonly Offer[]> {
  const { packages } = JSON.parse(await readFile(file, 'utf8')) as { packages: Offer[] };
  return packages.map(({ id, quota }) => ({ id, quota }));
}
