import { BlockList, isIP, isIPv6, type Socket } from 'node:net';
import type { IncomingRequest } from './rate-limits.ts';

/** Whose `X-Forwarded-For` is believed: nobody's (0), that of so many proxies in a row, or of those at these ranges. */
export type TrustedProxies = number | readonly string[];

export interface ClientResolver {
  /** What the sender of a request is counted under. Forged headers change nothing: only trusted proxies are heard. */
  of(sender: IncomingRequest): string;
  /** What the other end of a connection is counted under; undefined: a proxy, behind which there are many. */
  ofConnection(socket: Pick<Socket, 'remoteAddress'>): string | undefined;
}

/** More than any chain of proxies has. */
const hopsMax = 16;
/** Where the address is not known: the connection is gone already, or is none of TCP. */
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

/** A connection keeps its address, and asking for it is half of what a limit costs. */
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
    // As addresses are compared: an IPv4 range may be written in the clothes of IPv6 too.
    const address = plainAddress(text) ?? text;
    const family = familyOf(address);
    const bits = prefix === undefined ? (family === 'ipv6' ? 128 : 32) : Number(prefix);
    ranges.addSubnet(address, family === 'ipv4' && bits > 32 ? bits - 96 : bits, family);
  }
  return (address) => ranges.check(address, familyOf(address));
}

/** From the connection's other end backwards through what each proxy has put at the end of the header. */
function lastUntrusted(peer: string, forwarded: string, isProxy: IsProxy): string {
  let client = peer;
  let end = forwarded.length;
  for (let hop = 0; end > 0 && hop < hopsMax && isProxy(client, hop); hop++) {
    const comma = forwarded.lastIndexOf(',', end - 1);
    const address = forwardedAddress(forwarded.slice(comma + 1, end));
    // Nothing that a proxy has put there: beyond it everything may be made up.
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

/** An address without its zone; an IPv4 one that came in the clothes of IPv6 as what it is. Undefined: it is none. */
export function plainAddress(text: string): string | undefined {
  const address = text.split('%', 1)[0] as string;
  const version = isIP(address);
  if (version !== 6) return version === 4 ? address : undefined;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  return isMapped ? dotted(groups[6] as number, groups[7] as number) : address;
}

/**
 * What one client is counted under: an IPv4 address, or the /64 of an IPv6 one. Whoever has an address of IPv6 has
 * 2⁶⁴ of them.
 * @param plain see {@link plainAddress}.
 */
export function clientKey(plain: string): string {
  if (!isIPv6(plain)) return plain;
  const prefix = groupsOf(plain).slice(0, 4);
  return `${prefix.map((group) => group.toString(16)).join(':')}::/64`;
}

/** An address as it stands in `X-Forwarded-For`, where some proxies add the port. */
export function forwardedAddress(entry: string): string | undefined {
  const text = entry.trim();
  const withPort = /^\[(?<v6>[^\]]*)\](?::\d+)?$|^(?<v4>[\d.]+):\d+$/.exec(text)?.groups;
  return plainAddress(withPort?.v6 ?? withPort?.v4 ?? text);
}

/** The eight groups of a valid address. */
function groupsOf(address: string): number[] {
  const [head = '', tail] = address.split('::');
  const first = groupsIn(head);
  if (tail === undefined) return first;
  const last = groupsIn(tail);
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last];
}

function groupsIn(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [Number.parseInt(group, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}

function dotted(high: number, low: number): string {
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
