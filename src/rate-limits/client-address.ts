import { BlockList, isIP, isIPv4, isIPv6, type Socket, SocketAddress } from 'node:net';
import type { IncomingRequest } from './rate-limits.ts';

/**
 * The proxies whose `X-Forwarded-For` is used: 0 for none, a number of proxies in a row, or the IP ranges of the
 * proxies.
 */
export type TrustedProxies = number | readonly string[];

export interface ClientResolver {
  /** The key of the client that sent a request. Headers count only if a trusted proxy sent them. */
  of(request: IncomingRequest): string;
  /** The key of the client of a connection; undefined for a trusted proxy, which has many clients. */
  ofConnection(socket: Pick<Socket, 'remoteAddress'>): string | undefined;
}

/** The most proxies in a row that are followed. Real chains are shorter. */
const hopsMax = 16;
/** The key of a client whose IP address is unknown, because the connection is closed or is not TCP. */
const nobody = 'nobody';

export function clientResolver(trusted: TrustedProxies): ClientResolver {
  if (trusted === 0) return { of: ({ socket }) => keyOf(socket), ofConnection: keyOf };
  const isProxy = proxyCheck(trusted);
  return {
    of({ socket, headers }) {
      const peer = plainAddress(socket.remoteAddress ?? '');
      if (peer === undefined) return nobody;
      return clientKey(lastUntrusted(peer, forwardedFor(headers), isProxy));
    },
    ofConnection(socket) {
      const peer = plainAddress(socket.remoteAddress ?? '');
      return peer !== undefined && isProxy(peer, 0) ? undefined : keyOf(socket);
    },
  };
}

/** Keys by connection. They are cached, because reading a socket's IP address is half of the cost of a rate limit. */
const known = new WeakMap<object, string>();

function keyOf(socket: Pick<Socket, 'remoteAddress'>): string {
  let key = known.get(socket);
  if (key === undefined) {
    const address = plainAddress(socket.remoteAddress ?? '');
    if (address === undefined) return nobody;
    key = clientKey(address);
    known.set(socket, key);
  }
  return key;
}

type IsProxy = (address: string, hop: number) => boolean;

function proxyCheck(trusted: TrustedProxies): IsProxy {
  if (typeof trusted === 'number') return (_address, hop) => hop < trusted;
  const ranges = new BlockList();
  for (const range of trusted) {
    const [text = '', prefix] = range.split('/');
    // IP addresses are compared as IPv4 where possible, so an IPv4-mapped IPv6 range is converted too.
    const address = plainAddress(text) ?? text;
    const family = familyOf(address);
    const bits = prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix);
    ranges.addSubnet(address, family === 'ipv4' && bits > 32 ? bits - 96 : bits, family);
  }
  return (address) => ranges.check(address, familyOf(address));
}

/**
 * Returns the last IP address that is not a trusted proxy. Starts from the connection's peer, and goes back through the
 * addresses that trusted proxies have appended to the header.
 */
function lastUntrusted(peer: string, forwarded: string, isProxy: IsProxy): string {
  let client = peer;
  let end = forwarded.length;
  for (let hop = 0; end > 0 && hop < hopsMax && isProxy(client, hop); hop++) {
    const comma = forwarded.lastIndexOf(',', end - 1);
    const address = forwardedAddress(forwarded.slice(comma + 1, end));
    // No proxy has written this entry, so everything before it may be forged.
    if (address === undefined) break;
    client = address;
    end = comma;
  }
  return client;
}

function forwardedFor(headers: IncomingRequest['headers']): string {
  const value = headers['x-forwarded-for'];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/**
 * Normalizes an IP address. Removes its zone, and converts an IPv4-mapped address to IPv4. Returns undefined if the
 * text is not an IP address.
 */
function plainAddress(text: string): string | undefined {
  const address = text.split('%', 1)[0] as string;
  const version = isIP(address);
  if (version !== 6) return version === 4 ? address : undefined;
  if (!/:ffff:/i.test(address)) return address;
  const compressed = compress(address);
  const mapped = compressed.slice('::ffff:'.length);
  return compressed.startsWith('::ffff:') && isIPv4(mapped) ? mapped : address;
}

/**
 * The key that requests are counted under: an IPv4 address, or the /64 network of an IPv6 address, because each IPv6
 * client has at least 2⁶⁴ addresses.
 * @param address see {@link plainAddress}.
 */
function clientKey(address: string): string {
  if (!isIPv6(address) || address === '::1') return address;
  const [head = [], tail] = address.split('::').map((groups) => groups.split(':').filter(Boolean));
  const zeros = Array<string>(8).fill('0');
  const prefix = tail === undefined ? head : [...head, ...zeros.slice(head.length + tail.length), ...tail];
  return `${compress(`${prefix.slice(0, 4).join(':')}::`)}/64`;
}

/** An IP address in `X-Forwarded-For`, to which some proxies add the port. */
function forwardedAddress(entry: string): string | undefined {
  const text = entry.trim();
  const withPort = /^\[(?<v6>[^\]]*)\](?::\d+)?$|^(?<v4>[\d.]+):\d+$/.exec(text)?.groups;
  return plainAddress(withPort?.v6 ?? withPort?.v4 ?? text);
}

/** The shortest form of an IPv6 address (RFC 5952). */
function compress(address: string): string {
  return new SocketAddress({ address, family: 'ipv6' }).address;
}
