import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';

/** A package on sale. */
export interface Offer {
  readonly id: number;
  readonly quota: number;
}

/** A server to compare with, and its clean-up. */
export interface Baseline extends AsyncDisposable {
  /** Answers `POST /api/orders` and `GET /audit`. */
  readonly listener: RequestListener;
}

/**
 * Runs a baseline as a program. `PORT` and `HOST` set the address (default: a free port of the loopback), `--packages
 * FILE` the packages in the format of `npm run db:init -- --file`. It prints `listens on http://…` when it is ready,
 * and ends on SIGTERM after answering the requests in progress.
 */
export async function runBaseline(open: (offers: readonly Offer[]) => Promise<Baseline>): Promise<void> {
  const { values } = parseArgs({ options: { packages: { type: 'string' } } });
  if (values.packages === undefined) throw new Error('--packages FILE says what is on sale');
  const baseline = await open(await readOffers(values.packages));
  const { PORT = '0', HOST = '127.0.0.1' } = process.env;
  const server = createServer({ keepAliveTimeout: 20_000 }, baseline.listener);
  process.once('SIGTERM', () => {
    server.close(() => void baseline[Symbol.asyncDispose]());
    server.closeIdleConnections();
  });
  // The product's backlog.
  server.listen({ port: Number(PORT), host: HOST, backlog: 4_096 });
  await once(server, 'listening');
  console.log(`listens on http://${HOST}:${(server.address() as AddressInfo).port}`);
}

async function readOffers(file: string): Promise<readonly Offer[]> {
  const { packages } = JSON.parse(await readFile(file, 'utf8')) as { packages: Offer[] };
  return packages.map(({ id, quota }) => ({ id, quota }));
}
