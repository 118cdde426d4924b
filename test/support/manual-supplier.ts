import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** A supplier. For held buyers it answers flights when the test says so. It answers all other calls immediately. */
export interface ManualSupplier {
  /** The value for `SUPPLIERS_URL`. */
  readonly url: string;
  /** Lets this buyer's flights wait from now on. */
  hold(email: string): void;
  /** Answers this buyer's flight, now and from now on. */
  release(email: string, answer: 'seat' | 'no seat'): void;
  stop(): Promise<void>;
}

type FlightAnswer = 'seat' | 'no seat';

interface PendingAnswer {
  readonly answer: Promise<FlightAnswer>;
  readonly resolve: (answer: FlightAnswer) => void;
}

export async function startManualSupplier(): Promise<ManualSupplier> {
  const pending = new Map<string, PendingAnswer>();
  let count = 0;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'DELETE') return send(response, 204);
    const { email } = (await json(request)) as { email: string };
    const number = `${++count}`.padStart(8, '0');
    if (request.url?.includes('/hotels/')) return send(response, 201, { reservationNumber: `H${number}` });
    const flight = await (pending.get(email)?.answer ?? 'seat');
    if (flight === 'seat') return send(response, 201, { ticketNumber: `F${number}` });
    send(response, 409, { code: 'flight_unavailable' }, 'application/problem+json');
  }

  const server = createServer(
    (request, response) => void answer(request, response).catch(() => response.destroy()),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/suppliers`,
    hold(email) {
      const { promise, resolve } = Promise.withResolvers<FlightAnswer>();
      pending.set(email, { answer: promise, resolve });
    },
    release: (email, flight) => pending.get(email)?.resolve(flight),
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function send(response: ServerResponse, status: number, body?: object, type = 'application/json'): void {
  response.writeHead(status, { 'Content-Type': type });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}
