import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Hono } from 'hono';
import { expect, test } from 'vitest';
import { silentLog } from '../../observability/log.ts';
import { noMetrics } from '../../observability/metrics.ts';
import { requestObserver } from './observe-requests.ts';

test.each([
  ['GET', 'GET'],
  ['PATCH', 'PATCH'],
  ['PROPFIND', 'other'],
  ['M-SEARCH', 'other'],
])('counts requests by %s as %s, because clients must not create time series', (method, counted) => {
  const told: string[] = [];
  const metrics = {
    ...noMetrics,
    request: (route: string, by: string, status: number) => void told.push(`${route} ${by} ${status}`),
  };
  const incoming = Object.assign(new IncomingMessage(new Socket()), { method, url: '/order' });
  const telemetry = { metrics, logsRequests: false, expose: async () => ({ contentType: '', text: '' }) };
  const app = new Hono().get('/order', () => new Response());
  const observe = requestObserver(app, { telemetry, log: silentLog });
  observe(() => undefined)(incoming, new ServerResponse(incoming));
  expect(told).toEqual([`/order ${counted} 499`]);
});
