import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { startFuzzedServer } from './fuzzed-server.ts';
import { fuzzRaw, rawInput } from './raw-fuzz.ts';

/* A sample with a fixed seed; `npm run fuzz` sends more and measures memory. */

it('Q1 Q8 the server survives any bytes, and sells nothing that was not bought', {
  timeout: 300_000,
}, async () => {
  await using server = await startFuzzedServer();
  const { inputs, statuses, failures } = await fuzzRaw(server, { seed: 1, inputs: 3000 });
  expect(failures).toEqual([]);
  expect(inputs).toBe(3000);
  // The inputs reach, and are refused by, every layer.
  const reached = [101, 200, 201, 303, 400, 403, 404, 405, 409, 413, 415, 422, 431].map(String);
  expect(Object.keys(statuses)).toEqual(expect.arrayContaining(reached));
  expect(server.isRunning).toBe(true);
  expect(server.output()).not.toMatch(/"level":"(error|fatal)"/);
  expect(await server.buyHonestly()).toBeUndefined();
  expect(await server.auditFindings()).toEqual([]);
});

it('the same seed gives the same bytes', () => {
  expect(rawInput(7)).toEqual(rawInput(7));
  expect(rawInput(7)).not.toEqual(rawInput(8));
});

it.each([
  ['fails', 500, 'application/problem+json', '500 Internal Server Error'],
  ['refuses without a word', 404, 'text/plain', '404 Not Found'],
])('reports a server that %s, with the input', async (_how, status, type, words) => {
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    const isHit = request.url === '/api/orders';
    response.writeHead(isHit ? status : 200, { 'content-type': type }).end('{"code":"internal"}');
  });
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('checkExpectation', (_request, response) => response.end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const { failures } = await fuzzRaw({ port, isRunning: true }, { seed: 1, inputs: 300 });
  server.closeAllConnections();
  server.close();
  const [first] = failures;
  expect(first?.why).toContain(words);
  expect(first?.hex).toEqual(rawInput(first?.seed as number).writes.map((bytes) => bytes.toString('hex')));
});
