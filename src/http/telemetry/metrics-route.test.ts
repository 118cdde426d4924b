import { once } from 'node:events';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { afterEach, describe, expect, test } from 'vitest';
import { silentLog } from '../../observability/log.ts';
import { noMetrics } from '../../observability/metrics.ts';
import type { HttpTelemetry, OperatorAuth } from '../app-services.ts';
import { onError, ProblemError } from '../problem.ts';
import { isFromPrivateNetwork, metricsRoutes } from './metrics-route.ts';

describe('requests from private networks', () => {
  test.each([
    '127.0.0.1',
    '127.8.8.8',
    '::1',
    '::ffff:127.0.0.1',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '::ffff:192.168.1.1',
    'fd00::1',
  ])('include requests from %s', (remoteAddress) => {
    expect(isFromPrivateNetwork({ headers: {}, socket: { remoteAddress } })).toBe(true);
  });

  test.each([
    '8.8.8.8',
    '172.32.0.1',
    '172.15.255.255',
    '192.169.0.1',
    '11.0.0.1',
    '::ffff:8.8.8.8',
    '2001:db8::1',
    'fe00::1',
    '::',
    '0.0.0.0',
    'nonsense',
    undefined,
  ])('do not include requests from %s', (remoteAddress) => {
    expect(isFromPrivateNetwork({ headers: {}, socket: { remoteAddress } })).toBe(false);
  });
});

const telemetry: HttpTelemetry = {
  metrics: noMetrics,
  logsRequests: false,
  expose: async () => ({ contentType: 'text/plain; version=0.0.4', text: 'up 1\n' }),
};
const token = 'operators-only-0123456789';
let server: Server;

async function stop(): Promise<void> {
  server.close();
  await once(server, 'close');
}

/** Accepts callers that have the token. */
const auth: OperatorAuth = {
  async identify(request) {
    if (request.headers.get('authorization') === `Bearer ${token}`) {
      return { operator: { name: 'ben', via: 'token' }, mayChange: false };
    }
    throw new ProblemError('unauthorized', { headers: { 'WWW-Authenticate': 'Bearer' } });
  },
};

async function listen(
  operators: 'with operators' | 'without operators' = 'without operators',
): Promise<void> {
  const admin = operators === 'with operators' ? { admin: { auth } } : {};
  const app = new Hono().route('/', metricsRoutes({ telemetry, ...admin }));
  app.onError(onError(silentLog));
  server = createServer(getRequestListener(app.fetch) as never).listen(0, '127.0.0.1');
  await once(server, 'listening');
}

interface Heard {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: Record<string, unknown>;
}

function ask(headers: Record<string, string> = {}, method = 'GET'): Promise<Heard> {
  const { port } = server.address() as AddressInfo;
  return new Promise((resolve, reject) => {
    const asked = request({ port, path: '/metrics', method, headers, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode, text, headers: response.headers }));
    });
    asked.on('error', reject).end();
  });
}

describe('GET /metrics over a real connection', () => {
  afterEach(stop);

  test('is open to private networks without a token, whether or not an admin token is set', async () => {
    await listen();
    expect(await ask()).toMatchObject({
      status: 200,
      text: 'up 1\n',
      headers: { 'content-type': 'text/plain; version=0.0.4', 'cache-control': 'no-store' },
    });
    await stop();
    await listen('with operators');
    expect((await ask()).status).toBe(200);
  });

  test.each(['forwarded', 'x-forwarded-for', 'X-Forwarded-Host', 'x-forwarded-proto', 'x-real-ip', 'via'])(
    'is closed to requests through a proxy (%s): 404 without an admin token, else 401',
    async (name) => {
      await listen();
      expect(await ask({ [name]: '127.0.0.1' })).toMatchObject({ status: 404 });
      expect(await ask({ [name]: '' })).toMatchObject({ status: 404 });
      await stop();
      await listen('with operators');
      const refused = await ask({ [name]: '127.0.0.1' });
      expect(refused).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } });
      expect(refused.text).not.toContain('up 1');
    },
  );

  test.each(['localhost:8888', '127.0.0.1', '[::1]:8888', 'app:8888', 'app.shop.svc.cluster.local:8888'])(
    'is open to requests for the host %s',
    async (host) => {
      await listen();
      expect((await ask({ host })).status).toBe(200);
    },
  );

  test.each(['rebound.example.com:8888', 'localhost.example.com', '127.0.0.1.nip.io:8888'])(
    'is closed to requests for a public name, as of a website that points it here: %s',
    async (host) => {
      await listen();
      expect((await ask({ host })).status).toBe(404);
    },
  );

  test('is open to operators from everywhere', async () => {
    await listen('with operators');
    const far = { 'x-forwarded-for': '8.8.8.8' };
    expect((await ask({ ...far, authorization: `Bearer ${token}` })).status).toBe(200);
    expect((await ask({ ...far, authorization: 'Bearer another' })).status).toBe(401);
  });

  test('is closed to every token when there is no admin token', async () => {
    await listen();
    for (const authorization of ['Bearer undefined', 'Bearer x']) {
      expect((await ask({ 'x-forwarded-for': '8.8.8.8', authorization })).status).toBe(404);
    }
  });

  test.each(['POST', 'PUT', 'DELETE'])('answers 405 to %s', async (method) => {
    await listen();
    expect(await ask({}, method)).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD, OPTIONS' } });
  });
});
