import type { Prng } from '../simulation/prng.ts';
import { fuzzedBody } from './http-bodies.ts';
import { inPieces, mutateBytes } from './mutate-bytes.ts';
import type { RawInput } from './raw-input.ts';

const targets = [
  '/api/orders',
  '/api/orders/7Q4M-9XKD-2VBN-H5TR?email=ana%40example.com',
  '/api/orders/7Q4M-9XKD-2VBN-H5TR/cancel',
  '/api/packages',
  '/api/packages/1',
  '/api/packages/1/orders',
  '/api/suppliers/flights/reservations',
  '/api/suppliers/hotels/reservations',
  '/api/suppliers/flights/reservations/a-key',
  '/api/admin/packages',
  '/api/admin/audit',
  '/admin',
  '/order',
  '/order-queue',
  '/order/fragments',
  '/order/sent',
  '/orders/7Q4M-9XKD-2VBN-H5TR?proof=AAAAAAAAAAAAAAAAAAAAAA',
  '/orders/7Q4M-9XKD-2VBN-H5TR/fragment',
  '/query',
  '/docs',
  '/openapi.json',
  '/healthz',
  '/readyz',
  '/metrics',
  '/assets/app.css',
  '/live?topic=packages',
  '/nothing',
];

/** The most frequent routes of a sale. */
const purchases = ['/api/orders', '/api/orders', '/api/packages/1/orders', '/order', '/order-queue'];

const oddTargets = [
  '*',
  '//',
  '/%',
  '/%00',
  '/%2e%2e/%2e%2e/etc/passwd',
  '/api/packages/%ff',
  'http://[',
  'http://evil.example/api/packages',
  '/api/orders/../packages',
  '/\\..\\',
  '?',
  '#',
  `/${'a'.repeat(9000)}`,
  `/api/packages?${'%41'.repeat(3000)}`,
];

const methods = [
  'GET',
  'POST',
  'HEAD',
  'PUT',
  'DELETE',
  'PATCH',
  'OPTIONS',
  'TRACE',
  'CONNECT',
  'QUERY',
  'PRI',
  'get',
];
const versions = [
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.1',
  'HTTP/1.0',
  'HTTP/0.9',
  'HTTP/2.0',
  'HTTP/1.2',
  'HTCPCP/1.0',
  '',
];

/** Headers that change the meaning of a request, or where its body ends. */
const oddHeaders = [
  'Transfer-Encoding: chunked',
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding:\x0bchunked',
  ' Transfer-Encoding: chunked',
  'X: y\r\n Transfer-Encoding: chunked',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: +5',
  'Content-Length: 5, 5',
  'Content-Length: 0x10',
  'Content-Length: 99999999999999999999',
  'Content-Length:',
  'Expect: 100-continue',
  'Expect: miracles',
  'Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__',
  'Connection: Upgrade\r\nUpgrade: websocket',
  'Connection: close, keep-alive',
  'Connection: Content-Length',
  'Host: evil.example',
  'Host:',
  'Origin: null',
  'Sec-Fetch-Site: cross-site',
  'Idempotency-Key: ""',
  'Idempotency-Key: k\xe9y',
  'Prefer: wait=1; respond-async="x\\"',
  'Prefer: respond-async, wait=0',
  'Accept-Encoding: gzip;q=0, br;q=x, *;q=2',
  'Accept: text/html',
  'If-None-Match: "*", W/"x',
  'Range: bytes=0-,-5,9-1',
  'Cookie: orders=%00; orders=\xff; ;=;__Host-orders',
  'Authorization: Bearer',
  'Authorization: Basic \x00',
  'X-Forwarded-For: 1.2.3.4, [::1], unknown',
  'X-HTTP-Method-Override: DELETE',
  'traceparent: 00-00000000000000000000000000000000-0000000000000000-ff',
  '__proto__: x',
  ': no name',
  'no colon',
  'X\0Y: z',
];

/** One request or several in a row, valid or almost valid. */
export function httpInput(prng: Prng): RawInput {
  const count = prng.chance(0.15) ? prng.whole(2, 8) : 1;
  const requests = Buffer.concat(Array.from({ length: count }, () => request(prng)));
  const mutationsMade = prng.chance(0.55) ? 0 : prng.whole(1, 4);
  const bytes = mutateBytes(requests, prng, mutationsMade);
  const writes = prng.chance(0.2) && bytes.length < 2000 ? inPieces(bytes, prng) : [bytes];
  const ending = prng.chance(0.8) ? 'polite' : prng.pick(['at once', 'reset'] as const);
  return { what: `${count} HTTP, ${mutationsMade} mutations`, writes, waitsForAnswer: false, ending };
}

function request(prng: Prng): Buffer {
  const hasBody = prng.chance(0.6);
  const usual = hasBody && prng.chance(0.6) ? purchases : targets;
  const target = prng.pick(prng.chance(0.06) ? oddTargets : usual);
  const method = prng.chance(0.15) ? prng.pick(methods) : hasBody ? 'POST' : 'GET';
  const version = prng.chance(0.05) ? prng.pick(versions) : 'HTTP/1.1';
  const head = [`${method} ${target} ${version}`, 'Host: localhost'];
  if (prng.chance(0.5)) head.push('Connection: close');
  if (prng.chance(0.2)) head.push(`Idempotency-Key: key-${prng.whole(1, 1000)}`);
  const body = hasBody ? fuzzedBody(prng) : { headers: [], bytes: Buffer.alloc(0) };
  head.push(...body.headers);
  while (prng.chance(0.15)) head.splice(prng.whole(1, head.length), 0, prng.pick(oddHeaders));
  if (prng.chance(0.005)) head.push(`X-Large: ${'x'.repeat(prng.whole(8_000, 80_000))}`);
  if (prng.chance(0.005))
    head.push(...Array.from({ length: prng.whole(90, 3000) }, (_, n) => `X-${n}: ${n}`));
  const lineEnd = prng.chance(0.02) ? '\n' : '\r\n';
  return Buffer.concat([Buffer.from([...head, '', ''].join(lineEnd), 'latin1'), body.bytes]);
}
