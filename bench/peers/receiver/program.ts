/**
 * The receiver of a hotel's webhooks, as bare as possible: it takes every event with 204 and counts it. It checks no
 * signature, because its cost is not the cost of the server that is measured. `GET` answers `{"taken": 12}`. It prints
 * `listens on http://…` when it is ready, and ends on SIGTERM.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

let taken = 0;
const server = createServer({ keepAliveTimeout: 20_000 }, (request, response) => {
  if (request.method === 'GET') {
    response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ taken }));
    return;
  }
  request.resume().on('end', () => {
    taken += 1;
    response.writeHead(204).end();
  });
});
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
console.log(`listens on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
