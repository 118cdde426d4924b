import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Context, Hono } from 'hono';
import type { IncomingRequest } from '../../rate-limits/rate-limits.ts';
import type { AppServices } from '../app-services.ts';
import { bindings } from '../bindings.ts';
import { jsonHeaders, sendText } from '../json.ts';
import { serveRoutes } from '../methods.ts';
import { problem } from '../problem.ts';

/**
 * The route `GET /metrics` for Prometheus, which is open to private networks and to operators. Other callers get 401,
 * or 404 when there is no admin token.
 */
export function metricsRoutes({ telemetry, admin }: Pick<AppServices, 'telemetry' | 'admin'>): Hono {
  const read = async (c: Context): Promise<Response> => {
    const request = bindings(c).incoming;
    const isNearby = request !== undefined && isFromPrivateNetwork(request);
    if (telemetry === undefined || !(isNearby || admin !== undefined)) return problem(c, 'unknown_route');
    if (!isNearby) await admin?.auth.identify(c.req.raw, bindings(c).incoming);
    const { contentType, text } = await telemetry.expose();
    return sendText(200, text, jsonHeaders({ 'Content-Type': contentType }));
  };
  return serveRoutes({ '/metrics': { GET: read } });
}

/** The loopback and private networks (RFC 1918, RFC 4193). */
const near = new BlockList();
near.addSubnet('127.0.0.0', 8, 'ipv4');
near.addSubnet('10.0.0.0', 8, 'ipv4');
near.addSubnet('172.16.0.0', 12, 'ipv4');
near.addSubnet('192.168.0.0', 16, 'ipv4');
near.addAddress('::1', 'ipv6');
near.addSubnet('fc00::', 7, 'ipv6');

/** Headers that proxies add. */
const passedOn = [
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-real-ip',
  'via',
];

/**
 * Whether a request comes directly from the loopback or a private network. Requests through a proxy do not count, because
 * the proxy may be public, and neither do requests for a host with a public name.
 */
export function isFromPrivateNetwork({ headers, socket }: IncomingRequest): boolean {
  const address = socket.remoteAddress;
  if (address === undefined || passedOn.some((name) => headers[name] !== undefined)) return false;
  return near.check(address, isIPv6(address) ? 'ipv6' : 'ipv4') && isPrivateHost(headers.host ?? '');
}

/** Top-level names that nobody can register in the public DNS. */
const privateTopLevels = /(^|\.)(localhost|local|internal|home\.arpa)$/i;

/**
 * Whether the Host header names no public host. A website can let its own name point to this machine (DNS rebinding), so
 * that the browser of an operator sends its requests from here. Monitoring asks an address, a name without a dot, or a
 * name of a private network.
 */
function isPrivateHost(host: string): boolean {
  const name = host.replace(/:\d*$/, '').replace(/^\[(.*)\]$/, '$1');
  return isIP(name) !== 0 || !name.includes('.') || privateTopLevels.test(name);
}
