import type { IncomingMessage } from 'node:http';
import type { ErrorCode } from '../domain/errors.ts';
import { parseOrderId } from '../domain/order.ts';
import type { HttpSettings } from '../http/app-services.ts';
import { packageIdFrom, packageIdsFrom } from '../http/inputs.ts';
import { isOrderSignature } from '../http/order-access.ts';
import { languageFrom } from '../http/pages/texts/languages.ts';
import { isOwnOrigin } from '../http/security.ts';
import type { LiveFormat } from './fanout.ts';

export const livePath = '/live';

/**
 * The topic that a customer's connection watches: these packages (absent: the first page of the order page), one
 * package, or one order.
 */
export type CustomerTopic = (
  | { readonly kind: 'packages'; readonly ids?: readonly number[] }
  | { readonly kind: 'package'; readonly packageId: number }
  | { readonly kind: 'order'; readonly orderId: string }
) & {
  /** Default: fragments in English. */
  readonly format?: LiveFormat;
};

/** The topic that a connection watches. Only the pages of signed-in operators may watch `admin`. */
export type Topic = CustomerTopic | AdminTopic;

/** The overview, and the rows of these packages. */
export interface AdminTopic {
  readonly kind: 'admin';
  readonly ids: readonly number[];
}

/** The most characters of a URL, which is more than any URL of the pages has: a hundred ids have 16 each. */
const urlLengthMax = 2048;

/** The members of an upgrade request that the handshake needs. */
export type Handshake = Pick<IncomingMessage, 'method' | 'url' | 'headers'>;

export function isWebSocketUpgrade({ headers }: Pick<Handshake, 'headers'>): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

/**
 * Returns the topic of an upgrade request, or the error that refuses it. The URL and the headers may hold any bytes
 * that Node's parser accepts. So this function refuses everything that the WebSocket library would refuse or fail on
 * (RFC 6455, section 4.2.1).
 */
export function checkHandshake(
  { method, url = '', headers }: Handshake,
  { secret, publicOrigin }: Pick<HttpSettings, 'secret' | 'publicOrigin'>,
): Topic | ErrorCode {
  const [path, ...query] = url.split('?');
  if (path !== livePath) return 'unknown_route';
  if (method !== 'GET') return 'method_not_allowed';
  if (!isWebSocketUpgrade({ headers })) return 'upgrade_required';
  if (url.length > urlLengthMax || !isHost(headers.host) || !isWellFormed(headers)) return 'bad_request';
  const source = { host: headers.host, origin: headers.origin, site: single(headers['sec-fetch-site']) };
  if (!isOwnOrigin(source, publicOrigin)) return 'cross_site';
  const parameters = new URLSearchParams(query.join('?'));
  return inFormat(parseTopic(parameters, secret), parameters);
}

/**
 * Adds the format to a topic: JSON (`format=json`), or the language that the page names (`lang=de`). Operators' pages are
 * in English only.
 */
function inFormat(topic: Topic | ErrorCode, parameters: URLSearchParams): Topic | ErrorCode {
  if (typeof topic === 'string') return topic;
  const isJson = parameters.get('format') === 'json';
  if (parameters.has('format') && (!isJson || topic.kind === 'admin')) return 'unknown_route';
  const format: LiveFormat | undefined = isJson ? 'json' : languageFrom(parameters.get('lang'));
  return format === undefined || topic.kind === 'admin' ? topic : { ...topic, format };
}

function isWellFormed(headers: Handshake['headers']): boolean {
  return (
    /^[+/0-9A-Za-z]{22}==$/.test(headers['sec-websocket-key'] ?? '') &&
    /^(13|8)$/.test(headers['sec-websocket-version'] ?? '') &&
    // The server supports no subprotocol.
    headers['sec-websocket-protocol'] === undefined
  );
}

function isHost(host: string | undefined): boolean {
  return host !== undefined && /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`);
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** Topics that thousands of connections share. */
const allPackages: Topic = { kind: 'packages' };
const admin: Topic = { kind: 'admin', ids: [] };

/**
 * Parses `topic=packages`, `topic=packages:1.2.3`, `topic=package:3`, `topic=admin`, `topic=admin:1.2.3` or `topic=order:<id>&proof=<proof>`. An order without its
 * proof is refused like an order that does not exist (promise Q10).
 */
function parseTopic(query: URLSearchParams, secret: string): Topic | ErrorCode {
  const text = query.get('topic') ?? '';
  if (text === 'packages') return allPackages;
  if (text === 'admin') return admin;
  const [, kind, list = ''] = /^(packages|admin):(.*)$/.exec(text) ?? [];
  if (kind === 'packages' || kind === 'admin') {
    const ids = packageIdsFrom(list);
    return ids === undefined ? 'unknown_route' : { kind, ids };
  }
  const packageId = text.startsWith('package:') ? packageIdFrom(text.slice('package:'.length)) : undefined;
  if (packageId !== undefined) return { kind: 'package', packageId };
  if (!text.startsWith('order:')) return 'unknown_route';
  const orderId = parseOrderId(text.slice('order:'.length));
  if (orderId === undefined || !isOrderSignature(secret, orderId, query.get('proof') ?? ''))
    return 'unknown_order';
  return { kind: 'order', orderId };
}
