import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../domain/errors.ts';
import type { HttpSettings } from '../http/app-services.ts';
import { isOwnOrigin } from '../http/security.ts';
import { parseTopic, type Topic } from './topic.ts';

export const livePath = '/live';

/** Longer than any address that we hand out. */
const urlLengthMax = 1024;

/** What of an upgrade request is looked at. */
export type Handshake = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

export function isWebSocketUpgrade({ headers }: Pick<Handshake, 'headers'>): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Decides on an upgrade request, whose address and headers may be any bytes that Node's parser lets through: what
 * it is to watch, or why it is refused. Everything that the WebSocket library would refuse or choke on by itself is
 * refused here (RFC 6455, section 4.2.1).
 */
export function checkHandshake(
  { method, url = '', headers }: Handshake,
  { secret, publicOrigin }: Pick<HttpSettings, 'secret' | 'publicOrigin'>,
): Topic | ErrorCode {
  const [path, query = ''] = split(url);
  if (path !== livePath) return 'unknown_route';
  if (method !== 'GET') return 'method_not_allowed';
  if (!isWebSocketUpgrade({ headers })) return 'upgrade_required';
  if (url.length > urlLengthMax || !isHost(headers.host) || !isWellFormed(headers)) return 'bad_request';
  const source = { host: headers.host, origin: headers.origin, site: single(headers['sec-fetch-site']) };
  if (!isOwnOrigin(source, publicOrigin)) return 'cross_site';
  return parseTopic(new URLSearchParams(query), secret);
}

function split(url: string): [path: string, query?: string] {
  const mark = url.indexOf('?');
  return mark < 0 ? [url] : [url.slice(0, mark), url.slice(mark + 1)];
}

function isWellFormed(headers: Handshake['headers']): boolean {
  return (
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
    /^(13|8)$/.test(headers['sec-websocket-version'] ?? '') &&
    // Nothing is spoken but plain text messages.
    headers['sec-websocket-protocol'] === undefined
  );
}

function isHost(host: string | undefined): boolean {
  return host !== undefined && /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`);
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
